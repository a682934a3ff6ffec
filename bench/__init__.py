"""Measurements: ratios in one run against what a user would use instead."""
