"""The labels that travel with the repository."""
