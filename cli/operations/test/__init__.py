"""The test suites, and where they run."""
