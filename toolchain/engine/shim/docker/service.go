package shim

import (
	"context"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/client"
	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	upstream "github.com/terraform-providers/terraform-provider-docker/internal/provider"
)

// What the removal of a container that has ended may take.
const removal = 10 * time.Second

// completeService adds what later releases of upstream, which the SDK was made from, declare of a service: names in its
// networks, capabilities and an init process. It waits for a service by its tasks, and says why these failed.
func completeService(service *schema.Resource) {
	task := nested(service, "task_spec")
	task.Schema["networks_advanced"] = &schema.Schema{
		Type: schema.TypeSet, Optional: true, Elem: &schema.Resource{Schema: map[string]*schema.Schema{
			"id":      {Type: schema.TypeString, Required: true},
			"aliases": {Type: schema.TypeSet, Optional: true, Elem: &schema.Schema{Type: schema.TypeString}},
		}},
	}
	container := nested(task, "container_spec")
	container.Schema["cap_drop"] = &schema.Schema{
		Type: schema.TypeSet, Optional: true, Elem: &schema.Schema{Type: schema.TypeString},
	}
	container.Schema["init"] = &schema.Schema{Type: schema.TypeBool, Optional: true}
	read, create, update := service.ReadContext, service.CreateContext, service.UpdateContext
	service.ReadContext = readService(read)
	service.CreateContext = writeService(create, waitForTasks)
	service.UpdateContext = writeService(update, waitForUpdate)
	service.DeleteContext = deleteService
}

func nested(resource *schema.Resource, field string) *schema.Resource {
	return resource.Schema[field].Elem.(*schema.Resource)
}

type write = func(context.Context, *schema.ResourceData, any) diag.Diagnostics
type wait = func(ctx context.Context, config *upstream.ProviderConfig, id string, began time.Time) error

// writeService creates or updates a service and waits until its tasks run, if the converge_config asks for it.
func writeService(do write, converge wait) write {
	return func(ctx context.Context, data *schema.ResourceData, meta any) diag.Diagnostics {
		config := meta.(*upstream.ProviderConfig)
		asked := data.Get("converge_config")
		limit, _ := time.ParseDuration(data.Get("converge_config.0.timeout").(string))
		completed, err := sending(config, data)
		if err == nil {
			err = data.Set("converge_config", nil) // upstream's own wait knows neither tasks' errors nor less than 7 s
		}
		if err != nil {
			return diag.FromErr(err)
		}
		began := time.Now()
		diags := do(ctx, data, completed)
		if err := data.Set("converge_config", asked); err != nil {
			diags = append(diags, diag.FromErr(err)...)
		}
		if diags.HasError() || data.Id() == "" {
			return diags
		}
		diags = append(diags, setCompleted(ctx, data, meta)...)
		if limit == 0 {
			return diags
		}
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		if err := converge(ctx, config, data.Id(), began); err != nil {
			return append(diags, diag.Errorf("%s: %s", data.Get("name"), err)...)
		}
		return diags
	}
}

// deleteService deletes a service and waits until its tasks have ended on all nodes, as far as their time to stop is;
// upstream waits for containers of the engine that it is connected to.
func deleteService(ctx context.Context, data *schema.ResourceData, meta any) diag.Diagnostics {
	if err := engine(meta).ServiceRemove(ctx, data.Id()); err != nil && !client.IsErrNotFound(err) {
		return diag.FromErr(err)
	}
	grace, _ := time.ParseDuration(data.Get("task_spec.0.container_spec.0.stop_grace_period").(string))
	ctx, cancel := context.WithTimeout(ctx, grace+removal)
	defer cancel()
	for hasTasks(ctx, engine(meta), data.Id()) {
		select {
		case <-time.After(interval / 2):
		case <-ctx.Done():
		}
	}
	data.SetId("")
	return nil
}

func readService(read write) write {
	return func(ctx context.Context, data *schema.ResourceData, meta any) diag.Diagnostics {
		diags := read(ctx, data, meta)
		if diags.HasError() || data.Id() == "" {
			return diags
		}
		return append(diags, setCompleted(ctx, data, meta)...)
	}
}

// setCompleted sets what upstream doesn't read.
func setCompleted(ctx context.Context, data *schema.ResourceData, meta any) diag.Diagnostics {
	found, _, err := engine(meta).ServiceInspectWithRaw(ctx, data.Id(), types.ServiceInspectOptions{})
	if err != nil {
		return diag.FromErr(err)
	}
	specs, _ := data.Get("task_spec").([]any)
	if len(specs) == 0 || found.Spec.TaskTemplate.ContainerSpec == nil {
		return nil
	}
	task := specs[0].(map[string]any)
	containers, _ := task["container_spec"].([]any)
	if len(containers) == 0 {
		return nil
	}
	container, spec := containers[0].(map[string]any), found.Spec.TaskTemplate.ContainerSpec
	container["cap_drop"] = elements(spec.CapabilityDrop)
	container["init"] = spec.Init != nil && *spec.Init
	task["networks"], task["networks_advanced"] = nil, attachments(found.Spec.TaskTemplate.Networks)
	if err := data.Set("task_spec", specs); err != nil {
		return diag.FromErr(err)
	}
	return nil
}

func attachments(networks []swarm.NetworkAttachmentConfig) []any {
	var found []any
	for _, one := range networks {
		found = append(found, map[string]any{"id": one.Target, "aliases": elements(one.Aliases)})
	}
	return found
}

func elements(values []string) []any {
	found := []any{}
	for _, one := range values {
		found = append(found, one)
	}
	return found
}
