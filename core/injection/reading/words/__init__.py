"""How words are found in a prompt: its comparable text, the search for phrases, and the lists of words."""
