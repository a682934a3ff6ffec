"""What the image engine, the prompt reader and the labelers share when they talk to OpenAI."""
