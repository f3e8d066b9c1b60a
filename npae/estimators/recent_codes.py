"""The codes that were added last, up to a number: kept as they came, so that to add a few copies none of the others."""

from collections import deque

import numpy as np

from npae.utils.types import Array


class RecentCodes:
    """Codes of one distribution.

    Examples
    --------
    >>> kept = RecentCodes()
    >>> for i in range(4):
    ...     kept.add(np.full((2, 1), i), most=5)
    >>> len(kept), kept.array()[:, 0].tolist()
    (5, [1, 2, 2, 3, 3])
    """

    def __init__(self) -> None:
        self._parts: deque[Array] = deque()
        self._n, self._most = 0, 0

    def __len__(self) -> int:
        return min(self._n, self._most)

    def add(self, codes: Array, most: int) -> None:
        """Add codes (n, size), and keep the last ``most`` of all."""
        self._parts.append(codes)
        self._n, self._most = self._n + len(codes), most
        while self._n - len(self._parts[0]) >= most:
            self._n -= len(self._parts.popleft())

    def array(self) -> Array:
        """All that are kept, in their order; at least one must have been added."""
        if len(self._parts) > 1 or self._n > self._most:
            self._parts = deque([np.concatenate(self._parts)[-self._most :]])
            self._n = len(self._parts[0])
        return self._parts[0]
