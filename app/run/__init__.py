"""What a container starts: `python -m app.run.<name>`."""
