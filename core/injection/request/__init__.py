"""What is asked for and what is sent: wishes, slots, prompts, and the judge of two requests."""
