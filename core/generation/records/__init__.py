"""What is written down of a comparison, and found again."""
