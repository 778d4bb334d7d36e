package shim

import (
	"context"
	"fmt"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/client"
	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	upstream "github.com/terraform-providers/terraform-provider-docker/internal/provider"
)

// A look beside the engine's events, which a proxy before the engine may hold back.
const interval = time.Second

// shortenWaits replaces upstream's waits of a fixed time: 2 s after a network is made or read and before a network or
// a volume is removed, and up to 1 s after a container is healthy.
func shortenWaits(resources map[string]*schema.Resource) {
	network, volume, container := resources["docker_network"], resources["docker_volume"], resources["docker_container"]
	network.CreateContext = createNetwork(network.CreateContext, network.ReadContext)
	network.ReadContext = readNetwork(network.ReadContext)
	network.DeleteContext = remove(network.DeleteContext, func(ctx context.Context, engine *client.Client, id string) error {
		return engine.NetworkRemove(ctx, id)
	})
	volume.DeleteContext = remove(volume.DeleteContext, func(ctx context.Context, engine *client.Client, id string) error {
		return engine.VolumeRemove(ctx, id, true)
	})
	container.CreateContext = createContainer(container.CreateContext)
}

func engine(meta any) *client.Client { return meta.(*upstream.ProviderConfig).DockerClient }

// remove removes at once what is not in use; else upstream waits until it no longer is.
func remove(
	patiently schema.DeleteContextFunc, atOnce func(context.Context, *client.Client, string) error,
) schema.DeleteContextFunc {
	return func(ctx context.Context, data *schema.ResourceData, meta any) diag.Diagnostics {
		if atOnce(ctx, engine(meta), data.Id()) != nil {
			return patiently(ctx, data, meta)
		}
		data.SetId("")
		return nil
	}
}

// createNetwork makes a network of this machine; one of a swarm, or with addresses of its own, is left to upstream.
func createNetwork(others schema.CreateContextFunc, read schema.ReadContextFunc) schema.CreateContextFunc {
	read = readNetwork(read)
	return func(ctx context.Context, data *schema.ResourceData, meta any) diag.Diagnostics {
		driver := data.Get("driver").(string)
		_, hasAddresses := data.GetOk("ipam_config")
		if driver != "bridge" || hasAddresses || data.Get("ingress").(bool) || data.Get("ipam_driver") != "default" {
			return others(ctx, data, meta)
		}
		made, err := engine(meta).NetworkCreate(ctx, data.Get("name").(string), types.NetworkCreate{
			CheckDuplicate: data.Get("check_duplicate").(bool),
			Driver:         driver,
			EnableIPv6:     data.Get("ipv6").(bool),
			Internal:       data.Get("internal").(bool),
			Attachable:     data.Get("attachable").(bool),
			Options:        texts(data.Get("options").(map[string]any)),
			Labels:         labels(data.Get("labels").(*schema.Set)),
		})
		if err != nil {
			return diag.Errorf("Unable to create network: %s", err)
		}
		data.SetId(made.ID)
		return read(ctx, data, meta)
	}
}

// readNetwork reads a network of this machine; upstream reads one of a swarm, and finds that one is gone.
func readNetwork(others schema.ReadContextFunc) schema.ReadContextFunc {
	return func(ctx context.Context, data *schema.ResourceData, meta any) diag.Diagnostics {
		found, err := engine(meta).NetworkInspect(ctx, data.Id(), types.NetworkInspectOptions{})
		if err != nil || found.Scope != "local" {
			return others(ctx, data, meta)
		}
		var diags diag.Diagnostics
		for name, value := range networkFields(found) {
			if err := data.Set(name, value); err != nil {
				diags = append(diags, diag.FromErr(err)...)
			}
		}
		return diags
	}
}

func networkFields(found types.NetworkResource) map[string]any {
	var pairs, configs []any
	for label, value := range found.Labels {
		pairs = append(pairs, map[string]any{"label": label, "value": value})
	}
	for _, one := range found.IPAM.Config {
		auxiliary := map[string]any{}
		for name, address := range one.AuxAddress {
			auxiliary[name] = address
		}
		configs = append(configs, map[string]any{
			"subnet": one.Subnet, "ip_range": one.IPRange, "gateway": one.Gateway, "aux_address": auxiliary,
		})
	}
	return map[string]any{
		"name": found.Name, "labels": pairs, "driver": found.Driver, "options": found.Options, "scope": found.Scope,
		"internal": found.Internal, "attachable": found.Attachable, "ingress": found.Ingress, "ipv6": found.EnableIPv6,
		"ipam_driver": found.IPAM.Driver, "ipam_config": configs,
	}
}

func labels(set *schema.Set) map[string]string {
	found := map[string]string{}
	for _, raw := range set.List() {
		pair := raw.(map[string]any)
		found[pair["label"].(string)] = pair["value"].(string)
	}
	return found
}

func texts(values map[string]any) map[string]string {
	found := map[string]string{}
	for name, value := range values {
		found[name] = value.(string)
	}
	return found
}

// createContainer makes a container and waits for its health by the engine's events. Upstream's own wait ends the
// plugin when it takes too long or the container is gone, and upstream removes a container that ended at once, with its
// log.
func createContainer(create schema.CreateContextFunc) schema.CreateContextFunc {
	return func(ctx context.Context, data *schema.ResourceData, meta any) diag.Diagnostics {
		if !data.Get("wait").(bool) {
			return create(ctx, data, meta)
		}
		mustRun := data.Get("must_run").(bool)
		diags := set(data, false, false)
		if !diags.HasError() {
			diags = create(ctx, data, meta)
		}
		diags = append(diags, set(data, true, mustRun)...)
		if diags.HasError() || data.Id() == "" {
			return diags
		}
		limit := time.Duration(data.Get("wait_timeout").(int)) * time.Second
		if err := waitForHealth(ctx, engine(meta), data.Id(), limit); err != nil {
			diags = append(diags, diag.Errorf("%s: %s", data.Get("name"), err)...)
		}
		return diags
	}
}

// set tells upstream whether to wait until the container is healthy, and whether to remove it if it doesn't run.
func set(data *schema.ResourceData, wait, mustRun bool) diag.Diagnostics {
	var diags diag.Diagnostics
	for name, value := range map[string]bool{"wait": wait, "must_run": mustRun} {
		if err := data.Set(name, value); err != nil {
			diags = append(diags, diag.FromErr(err)...)
		}
	}
	return diags
}

func waitForHealth(ctx context.Context, engine *client.Client, id string, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	changes, failures := engine.Events(ctx, types.EventsOptions{
		Filters: filters.NewArgs(filters.Arg("container", id), filters.Arg("event", "health_status")),
	})
	for {
		found, err := engine.ContainerInspect(ctx, id)
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("not healthy after %s", limit)
		case err != nil:
			return err
		case found.State.Health == nil:
			return fmt.Errorf("it has no health check to wait for")
		case !found.State.Running && !found.State.Restarting:
			return fmt.Errorf("ended with exit status %d", found.State.ExitCode)
		case found.State.Health.Status == types.Healthy:
			return nil
		}
		select {
		case <-changes:
		case <-failures:
			failures = nil
		case <-time.After(interval):
		case <-ctx.Done():
		}
	}
}
