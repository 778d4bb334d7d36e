// Command pulumi-resource-random serves the random provider under the names of Pulumi's random SDK.
package main

import (
	"context"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	info "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge/tokens"
	"github.com/terraform-providers/terraform-provider-random/shim"

	"dashtam.dev/toolchain/engine/inputs"
)

// The engine selects a plugin by the version that the SDK asks for.
const version = "4.21.4"

func main() {
	prov := info.ProviderInfo{
		P: tfbridge.ShimProvider(shim.NewProvider()), Name: "random", Version: version,
		MetadataInfo: info.NewProviderMetadata([]byte(`{}`)),
	}
	prov.MustComputeTokens(tokens.SingleModule("random_", "index", token))
	inputs.PrintIfAsked(prov)
	schema := []byte(`{"name":"random","version":"` + version + `"}`)
	tfbridge.Main(context.Background(), "random", prov, tfbridge.ProviderMetadata{PackageSchema: schema})
}

// token gives each resource the prefix that the SDK's names carry: RandomPassword, not Password.
func token(module, name string) (string, error) {
	return tokens.MakeStandard("random")(module, "Random"+name)
}
