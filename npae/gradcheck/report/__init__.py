"""Reports of gradient checks, as plain data, text, JSON and HTML."""
