"""Who is signed in, and what their browser is to tell the server of their session."""
