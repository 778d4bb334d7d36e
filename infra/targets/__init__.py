"""Where an environment runs: what all targets take and give, and one module for each."""
