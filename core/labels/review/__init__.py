"""What people decide about labels, and how it is published."""
