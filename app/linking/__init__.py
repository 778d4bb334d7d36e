"""Links a person's accounts at providers."""
