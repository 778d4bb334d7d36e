"""Operator commands: what people use to live with the environments."""
