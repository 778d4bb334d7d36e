// Package shim reaches the random provider, which upstream keeps internal.
package shim

import (
	"github.com/hashicorp/terraform-plugin-framework/provider"
	upstream "github.com/terraform-providers/terraform-provider-random/internal/provider"
)

// NewProvider returns the provider as upstream made it.
func NewProvider() provider.Provider { return upstream.New() }
