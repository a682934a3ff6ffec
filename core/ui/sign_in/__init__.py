"""Signing in: what somebody sees who is not let in yet."""
