"""Components of our own: what runs in the browser, and its twin in Python."""
