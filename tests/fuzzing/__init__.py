"""Readers against files that nobody would write: the same targets for Hypothesis, daily, and for atheris, for hours."""
