"""The whole library, listed from S3 in parallel."""
