"""The composer: what a designer has set and not sent yet, and where that is kept."""
