// Package shim reaches the tls provider, which upstream keeps internal.
package shim

import (
	"github.com/hashicorp/terraform-plugin-framework/provider"
	upstream "github.com/hashicorp/terraform-provider-tls/internal/provider"
)

// NewProvider returns the provider as upstream made it.
func NewProvider() provider.Provider { return upstream.New() }
