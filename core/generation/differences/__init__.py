"""In what recorded comparisons differ: from the plan that stands, from today's plan, and side from side."""
