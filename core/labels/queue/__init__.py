"""What waits for a person, in which order, and why."""
