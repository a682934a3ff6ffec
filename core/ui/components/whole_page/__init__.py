"""What is prepared once for a whole page: its history, its drawers' entries, and what translations leave."""
