"""Exercises in backpropagation that name the learner's mistake: see ``npae learn`` and docs/learn.md."""
