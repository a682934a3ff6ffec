"""The line in the top bar that says what is at work, and the tab's title, which says it too."""
