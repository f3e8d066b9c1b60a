"""The array type of the kernels."""

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
