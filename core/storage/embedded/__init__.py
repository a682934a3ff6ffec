"""The demo's own S3 server."""
