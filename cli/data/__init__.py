"""What must not be lost: databases, snapshots and backups."""
