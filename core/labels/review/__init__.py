"""Reviewing: who may decide what, and how a decision gets into the log."""
