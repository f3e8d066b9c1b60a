"""A learner's folder: its files, the progress in it, and the milestones."""
