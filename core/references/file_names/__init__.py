"""File names of the library in columns: how they are searched, and which nobody has meant as a picture's."""
