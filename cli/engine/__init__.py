"""The Docker engine: how it is reached, and what it has of this project."""
