"""The lines above the slots: what is planned, what it costs, and what was read."""
