"""From an order to its outcomes."""
