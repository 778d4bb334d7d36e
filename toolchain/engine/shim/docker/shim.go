// Package shim reaches the docker provider, which upstream keeps internal.
package shim

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	upstream "github.com/terraform-providers/terraform-provider-docker/internal/provider"
)

// NewProvider returns the provider without waits of a fixed time and without its log, with services as its later
// releases declare them, and with an unreachable engine explained.
func NewProvider() *schema.Provider {
	prov := upstream.New("dev")()
	shortenWaits(prov.ResourcesMap)
	completeService(prov.ResourcesMap["docker_service"])
	quiet(prov.ResourcesMap)
	configure := prov.ConfigureContextFunc
	prov.ConfigureContextFunc = func(ctx context.Context, data *schema.ResourceData) (any, diag.Diagnostics) {
		meta, diags := configure(ctx, data)
		return meta, explain(data.Get("host").(string), diags)
	}
	return prov
}

// explain says what configuring nearly always fails for, since upstream only says that a ping failed.
func explain(host string, diags diag.Diagnostics) diag.Diagnostics {
	for i := range diags {
		if diags[i].Severity == diag.Error {
			diags[i].Summary = fmt.Sprintf("the Docker engine at %s can't be used.\n"+
				"Cause: %s\n"+
				"Remedy: start the engine (Docker Desktop, or `sudo systemctl start docker`), or set DOCKER_HOST "+
				"to one that runs; `./dashtam doctor` says more, and `./dashtam up` starts one where it can.",
				host, diags[i].Summary)
		}
	}
	return diags
}
