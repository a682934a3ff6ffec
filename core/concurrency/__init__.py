"""Work behind people's backs: again and again, or once; no failure of it goes unseen."""
