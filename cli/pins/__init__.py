"""What the project pins, and what is newer: base images, Python and npm packages."""
