"""Where bytes live: the S3 store and the embedded server behind it."""
