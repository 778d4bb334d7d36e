package shim

import (
	"context"
	"io"
	"log"
	"os"

	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
)

// quiet drops what upstream logs, such as each document that the engine returns, unless TF_LOG asks for it. The bridge
// passes every line to Pulumi in a call of its own, which takes as much of the processor as all other work.
func quiet(resources map[string]*schema.Resource) {
	if os.Getenv("TF_LOG") != "" {
		return
	}
	for _, one := range resources {
		one.CreateContext = silent(one.CreateContext)
		one.ReadContext = silent(one.ReadContext)
		one.UpdateContext = silent(one.UpdateContext)
		one.DeleteContext = silent(one.DeleteContext)
	}
}

// silent sets the output of the log at each call, since the bridge sets its own before.
func silent[F ~func(context.Context, *schema.ResourceData, any) diag.Diagnostics](do F) F {
	if do == nil {
		return nil
	}
	return func(ctx context.Context, data *schema.ResourceData, meta any) diag.Diagnostics {
		log.SetOutput(io.Discard)
		return do(ctx, data, meta)
	}
}
