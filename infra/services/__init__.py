"""The services of an environment."""
