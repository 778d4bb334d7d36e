"""Files that follow from the code, and are kept in the repository for editors and readers."""
