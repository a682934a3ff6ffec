"""Which references go into a picture, and why."""
