"""What every layer may use: errors, processes, files, locks, signals."""
