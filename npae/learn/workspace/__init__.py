"""A learner's folder: files, progress, and the training after milestones."""
