"""Readers against files that nobody would write: the same targets for Hypothesis, every day, and for atheris, for hours."""
