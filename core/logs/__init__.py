"""What is told to operators, an event a line: its form, what libraries say, incidents and refusals."""
