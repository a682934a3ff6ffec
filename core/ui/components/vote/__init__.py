"""The vote desk: two pictures, an answer by a key, and nothing that tells which is which."""
