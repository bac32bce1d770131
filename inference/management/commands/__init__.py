"""Management commands of `inference`."""
