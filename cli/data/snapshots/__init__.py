"""Snapshots: the volumes of Postgres and Redis, copied at one moment, checksummed, and restored whole."""
