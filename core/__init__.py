"""The studio dashboard's core: everything but the entry script and the pages."""
