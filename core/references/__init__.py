"""Reference pictures: their keys, folder grammar, index and refresh."""
