"""Reading prompts offline: words, people, ages, tags and what is denied."""
