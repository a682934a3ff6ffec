"""The slots of a plan on screen: one strip of cards, each with what can be done about it and why."""
