"""Where the repository and its tests lie, for tests that start processes or read files of the repository."""

import os
from pathlib import Path

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent

#: The environment of a child process that imports npae and ``helpers`` from this repository, wherever it is started.
_PATHS = [str(ROOT), str(TESTS), os.environ.get("PYTHONPATH", "")]
CHILD = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, _PATHS))}
