"""Which environments this clone has, who owns them, and which names and ports they use."""
