"""Votes as they lie in S3, and how they come there."""
