"""Records from before the dashboard."""
