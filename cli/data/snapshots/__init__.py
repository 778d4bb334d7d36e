"""Snapshots: what Postgres and Redis keep in their volumes, copied at one moment, checksummed, and put back whole."""
