// Command pulumi-resource-docker serves kreuzwerker's docker provider under the names of Pulumi's docker SDK.
package main

import (
	"strings"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shimv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/terraform-providers/terraform-provider-docker/shim"

	"dashtam.dev/toolchain/engine/inputs"
)

// The engine selects a plugin by the version that the SDK asks for, so this is the SDK's and not upstream's.
const version = "5.2.0"

type fields = map[string]*tfbridge.SchemaInfo

func main() {
	prov := tfbridge.ProviderInfo{
		P: shimv2.NewProvider(shim.NewProvider()), Name: "docker", Version: version,
		Config: fields{
			"host": {Default: &tfbridge.DefaultInfo{
				EnvVars: []string{"DOCKER_HOST"}, Value: "unix:///var/run/docker.sock",
			}},
			"registry_auth": {Name: "registryAuth", MaxItemsOne: tfbridge.False()},
		},
		Resources:   resources(),
		DataSources: dataSources(),
	}
	prov.SetAutonaming(255, "-")
	inputs.PrintIfAsked(prov)
	tfbridge.Main("docker", version, prov, []byte(`{"name":"docker","version":"`+version+`"}`))
}

// resources names what the SDK names otherwise than upstream does.
func resources() map[string]*tfbridge.ResourceInfo {
	return map[string]*tfbridge.ResourceInfo{
		"docker_config": {Tok: resource("ServiceConfig")},
		// Two containers can't hold one name or port, so the old one goes first.
		"docker_container": {Tok: resource("Container"), DeleteBeforeReplace: true, Fields: fields{
			"command":           {Name: "command"},
			"networks_advanced": {Name: "networksAdvanced"},
		}},
		"docker_image":          {Tok: resource("RemoteImage"), Fields: fields{"name": {Name: "name"}, "build": build()}},
		"docker_network":        {Tok: resource("Network")},
		"docker_plugin":         {Tok: resource("Plugin")},
		"docker_registry_image": {Tok: resource("RegistryImage")},
		"docker_secret":         {Tok: resource("Secret")},
		"docker_service":        {Tok: resource("Service")},
		"docker_tag":            {Tok: resource("Tag")},
		"docker_volume":         {Tok: resource("Volume")},
	}
}

// build renames what later releases of the provider, which the SDK was made from, call otherwise.
func build() *tfbridge.SchemaInfo {
	return &tfbridge.SchemaInfo{Elem: &tfbridge.SchemaInfo{Fields: fields{
		"path":      {Name: "context"},
		"build_arg": {Name: "buildArgs"},
		"label":     {Name: "labels"},
		"tag":       {Name: "tags"},
	}}}
}

func dataSources() map[string]*tfbridge.DataSourceInfo {
	return map[string]*tfbridge.DataSourceInfo{
		"docker_image":          {Tok: function("getRemoteImage")},
		"docker_logs":           {Tok: function("getLogs")},
		"docker_network":        {Tok: function("getNetwork")},
		"docker_plugin":         {Tok: function("getPlugin")},
		"docker_registry_image": {Tok: function("getRegistryImage")},
	}
}

func resource(name string) tokens.Type {
	return tokens.Type("docker:index/" + strings.ToLower(name[:1]) + name[1:] + ":" + name)
}

func function(name string) tokens.ModuleMember {
	return tokens.ModuleMember("docker:index/" + name + ":" + name)
}
