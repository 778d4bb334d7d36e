"""The base images of this machine: from a registry, or built from Debian packages."""
