"""Statistics that know nothing of votes: intervals that hold at every look, resampling, and pulling groups together."""
