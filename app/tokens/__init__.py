"""Tokens encrypted in the database, and the keys that they are encrypted under."""
