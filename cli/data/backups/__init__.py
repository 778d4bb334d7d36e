"""Backups: a database as a `pg_dump` archive in one file, for any environment on any machine."""
