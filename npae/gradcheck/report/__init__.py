"""What a check found, as plain data, text, JSON and HTML."""
