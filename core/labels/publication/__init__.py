"""Publication: what reviews would change in the label file, shown before it is written, and writing it."""
