// Command pulumi-resource-tls serves the tls provider under the names of Pulumi's tls SDK.
package main

import (
	"context"

	"github.com/hashicorp/terraform-provider-tls/shim"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	info "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge/tokens"

	"dashtam.dev/toolchain/engine/inputs"
)

// The engine selects a plugin by the version that the SDK asks for.
const version = "5.6.2"

func main() {
	prov := info.ProviderInfo{
		P: tfbridge.ShimProvider(shim.NewProvider()), Name: "tls", Version: version,
		MetadataInfo: info.NewProviderMetadata([]byte(`{}`)),
	}
	prov.MustComputeTokens(tokens.SingleModule("tls_", "index", tokens.MakeStandard("tls")))
	inputs.PrintIfAsked(prov)
	schema := []byte(`{"name":"tls","version":"` + version + `"}`)
	tfbridge.Main(context.Background(), "tls", prov, tfbridge.ProviderMetadata{PackageSchema: schema})
}
