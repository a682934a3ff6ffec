"""Search: what the words that somebody types over the library may mean, and which pictures that finds."""
