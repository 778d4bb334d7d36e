"""What every part of the service stands on: settings, logs, the database and the cache."""
