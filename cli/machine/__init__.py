"""Getting a machine ready: the Docker engine, the Pulumi CLI and its plugins."""
