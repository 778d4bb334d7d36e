package shim

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"regexp"

	"github.com/docker/docker/client"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	upstream "github.com/terraform-providers/terraform-provider-docker/internal/provider"
)

var servicePath = regexp.MustCompile(`/services/(create|[^/]+/update)$`)

// sending returns a config whose client adds to the service that upstream sends what upstream doesn't know.
func sending(config *upstream.ProviderConfig, data *schema.ResourceData) (*upstream.ProviderConfig, error) {
	own := config.DockerClient
	http := own.HTTPClient()
	scheme := "http"
	if isEncrypted(http.Transport) {
		scheme = "https"
	}
	http.Transport = &completing{http.Transport, data}
	made, err := client.NewClientWithOpts(
		client.WithHost(own.DaemonHost()), client.WithScheme(scheme), client.WithVersion(own.ClientVersion()),
		client.WithHTTPClient(http),
	)
	if err != nil {
		return nil, err
	}
	return &upstream.ProviderConfig{DockerClient: made, AuthConfigs: config.AuthConfigs}, nil
}

func isEncrypted(transport http.RoundTripper) bool {
	known, ok := transport.(*http.Transport)
	return ok && known.TLSClientConfig != nil
}

type completing struct {
	transport http.RoundTripper
	data      *schema.ResourceData
}

func (one *completing) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Method != http.MethodPost || !servicePath.MatchString(request.URL.Path) {
		return one.transport.RoundTrip(request)
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	if body, err = one.complete(body); err != nil {
		return nil, err
	}
	request = request.Clone(request.Context())
	request.Body, request.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return one.transport.RoundTrip(request)
}

func (one *completing) complete(body []byte) ([]byte, error) {
	var service map[string]any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber() // durations and sizes are beyond what a float keeps
	if err := decoder.Decode(&service); err != nil {
		return nil, err
	}
	task := service["TaskTemplate"].(map[string]any)
	container := task["ContainerSpec"].(map[string]any)
	if drops := one.data.Get("task_spec.0.container_spec.0.cap_drop").(*schema.Set).List(); len(drops) > 0 {
		container["CapabilityDrop"] = drops
	}
	if one.data.Get("task_spec.0.container_spec.0.init").(bool) {
		container["Init"] = true
	}
	if networks := one.data.Get("task_spec.0.networks_advanced").(*schema.Set).List(); len(networks) > 0 {
		var attached []any
		for _, raw := range networks {
			network := raw.(map[string]any)
			aliases := network["aliases"].(*schema.Set).List()
			attached = append(attached, map[string]any{"Target": network["id"], "Aliases": aliases})
		}
		task["Networks"] = attached
	}
	return json.Marshal(service)
}
