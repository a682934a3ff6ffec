"""What the Insights page is made of."""
