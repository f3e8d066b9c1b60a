"""How fast the five models train, here and in other libraries: what ``npae bench`` runs.

``comparison`` measures the models as they are, ``growth`` while one of their sizes grows. Every contender lives in a
process of its own (``worker``) and is asked in turn (``rounds``), so that whatever else the machine does meets all of
them alike.
"""

from npae.cli.bench.command import HELP, add_arguments, run

__all__ = ["HELP", "add_arguments", "run"]
