"""npae bench: training speed of the five models, beside PyTorch, JAX and scikit-learn.

``comparison`` measures the models at fixed sizes, ``growth`` as one size grows. Each contender (library) runs in a
separate process (``worker``), and the processes are measured in turn (``rounds``), so that changes of the machine's
speed affect all of them equally.
"""

from npae.cli.bench.command import EXAMPLE, HELP, add_arguments, run

__all__ = ["EXAMPLE", "HELP", "add_arguments", "run"]
