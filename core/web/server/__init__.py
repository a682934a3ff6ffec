"""A server's start and end, and what its memory allocator keeps."""
