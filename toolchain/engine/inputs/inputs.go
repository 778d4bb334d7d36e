// Package inputs prints what a plugin's resources accept, so that a test can hold the
// program against the plugin that was built as well as against the published SDK.
package inputs

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
)

// Flag asks a plugin for its inputs instead of serving.
const Flag = "-inputs"

// Tree maps an input property to the properties nested in it; a plain value has none.
type Tree map[string]Tree

// PrintIfAsked writes the inputs of each resource as JSON, keyed by type token, and exits if Flag was given.
func PrintIfAsked(prov tfbridge.ProviderInfo) {
	if len(os.Args) != 2 || os.Args[1] != Flag {
		return
	}
	if err := json.NewEncoder(os.Stdout).Encode(ofProvider(prov)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func ofProvider(prov tfbridge.ProviderInfo) Tree {
	resources := Tree{}
	for name, info := range prov.Resources {
		if res, ok := prov.P.ResourcesMap().GetOk(name); ok {
			resources[string(info.Tok)] = ofFields(res.Schema(), info.Fields)
		}
	}
	return resources
}

func ofFields(fields shim.SchemaMap, infos map[string]*tfbridge.SchemaInfo) Tree {
	tree := Tree{}
	fields.Range(func(name string, field shim.Schema) bool {
		if field.Optional() || field.Required() {
			tree[tfbridge.TerraformToPulumiNameV2(name, fields, infos)] = ofElement(field, infos[name])
		}
		return true
	})
	return tree
}

func ofElement(field shim.Schema, info *tfbridge.SchemaInfo) Tree {
	nested, ok := field.Elem().(shim.Resource)
	if !ok {
		return nil
	}
	if info != nil && info.Elem != nil {
		return ofFields(nested.Schema(), info.Elem.Fields)
	}
	return ofFields(nested.Schema(), nil)
}
