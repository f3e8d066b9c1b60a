"""Whether a learner's function is right, and which known mistake it looks like."""
