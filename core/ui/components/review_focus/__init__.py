"""The review desk: one portrait at a time, decided by a key."""
