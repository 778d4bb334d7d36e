"""The operator commands, one a file."""
