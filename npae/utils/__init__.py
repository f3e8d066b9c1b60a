"""Helpers for every package: errors, types, files, memory, validation, random numbers, charts and images."""
