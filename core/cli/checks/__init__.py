"""`python -m core check`: every dependency, one after the other, and what to do about each failure."""
