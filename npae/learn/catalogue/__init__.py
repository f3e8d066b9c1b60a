"""Exercises: what their folders hold, and how they are found."""
