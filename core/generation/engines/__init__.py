"""What makes a picture, and what it can do and costs."""
