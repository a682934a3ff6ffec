"""What people decide about labels."""
