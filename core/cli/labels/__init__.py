"""`python -m core label` and `labels …`: proposing, measuring, queueing and publishing labels."""
