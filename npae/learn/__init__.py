"""Exercises in which a learner writes the gradients, and a grader for those who teach it."""

from npae.learn.notebook import check

__all__ = ["check"]
