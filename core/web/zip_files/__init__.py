"""ZIP files that are written while they are sent."""
