"""Grading a class: submissions, marks, and the journal that makes a run resumable."""
