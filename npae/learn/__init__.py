"""Exercises in which learners write gradients by hand, and a grader for their teachers."""

from npae.learn.notebook import check

__all__ = ["check"]
