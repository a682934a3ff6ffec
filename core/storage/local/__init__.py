"""What lies in DATA_DIR: files that are there whole or not at all."""
