"""Processes that run a learner's code; arrays go in and arrays come out."""
