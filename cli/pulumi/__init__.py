"""Pulumi: its backend, its state, and its updates as processes with events."""
