"""Objects in a bucket as the domain sees them: single ones, documents, and what is derived of others."""
