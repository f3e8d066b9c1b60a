"""Exercises: loading their folders, and finding them by name or number."""
