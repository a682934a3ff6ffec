"""Reading, shrinking and grading pictures."""
