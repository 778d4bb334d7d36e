"""The typed stack config."""
