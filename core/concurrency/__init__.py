"""Work behind people's backs, of which no failure goes unseen, and when the garbage collector looks round."""
