"""Insights: everything that may be concluded from the votes, and what may not."""
