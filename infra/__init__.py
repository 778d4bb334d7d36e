"""The Pulumi program that declares one isolated environment per stack."""
