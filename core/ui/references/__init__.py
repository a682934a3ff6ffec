"""The parts of the References page."""
