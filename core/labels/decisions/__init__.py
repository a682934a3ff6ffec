"""What people have decided about labels: the log of their reviews, and what it comes to."""
