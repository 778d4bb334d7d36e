"""Drift: what the engine has now against what Pulumi's state says that it should have."""
