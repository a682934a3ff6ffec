"""The stage: the sides of a comparison, looked at."""
