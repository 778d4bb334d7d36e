"""Files that are generated from the code, and committed for editors and readers."""
