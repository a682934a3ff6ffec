"""What proposes labels."""
