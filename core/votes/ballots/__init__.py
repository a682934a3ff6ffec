"""Ballots: which pair is shown to whom, and pictures that tell nothing of their sides."""
