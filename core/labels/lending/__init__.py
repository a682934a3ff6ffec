"""Who has which portraits before them just now."""
