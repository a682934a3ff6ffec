"""A server's start and end, and how its garbage is collected."""
