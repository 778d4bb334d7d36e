"""What a command does; the only layer that composes the others."""
