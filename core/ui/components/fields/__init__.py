"""Fields of the composer that show at once what is typed or picked, before the server knows of it."""
