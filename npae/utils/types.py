"""Type names used everywhere: ``Array`` and ``Shape``."""

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Shape = tuple[int, ...]
