"""Helpers that every package may use: errors, types, files, memory, validation, randomness, charts and pictures."""
