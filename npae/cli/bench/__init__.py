"""npae bench: training speed of the five models, beside PyTorch, JAX and scikit-learn.

``comparison`` measures the models as they are, ``growth`` while one of their sizes grows. Every contender lives in a
process of its own (``worker``) and is asked in turn (``rounds``), so that whatever else the machine does meets all of
them alike.
"""

from npae.cli.bench.command import HELP, add_arguments, run

__all__ = ["HELP", "add_arguments", "run"]
