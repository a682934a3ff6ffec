"""How things are written on screen: names, numbers, times, tables, and text as Markdown."""
