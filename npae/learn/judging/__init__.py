"""Judge a learner's function: is it right, and which known mistake does it match?"""
