"""Who may come in, and as what: the list, and the one place that reads and changes it."""
