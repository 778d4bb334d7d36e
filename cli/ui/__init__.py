"""The terminal: consoles, progress, questions, and the files that a user names."""
