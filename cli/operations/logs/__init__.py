"""The services' logs: read, put in order of time, followed across restarts, and shown."""
