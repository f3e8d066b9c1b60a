"""Validation of the samples that a network is given."""

from typing import Any, TypeGuard

import numpy as np

from npae.network.base import Network
from npae.network.recorded_check import RecordedCheck
from npae.utils.columns import check_columns, columns_of
from npae.utils.samples import Samples
from npae.utils.types import Array
from npae.utils.validation import ROUNDING, check_samples, largest_number
from npae.utils.wording import counted

LARGE = 2**18  # values of an array from which on several threads check it


class Checking(Network):
    """The methods of a network that validate samples; see ``Autoencoder``."""

    def check(self, x: Any, *, as_target: bool = False, loss_is_auto: bool = False, n_jobs: int = 1) -> Samples:
        """Validate samples and convert them to a C-contiguous array of the network's dtype, or rows of a sparse matrix.

        Columns of a dataframe that are not those of ``columns``, or in another order, are refused.

        Parameters
        ----------
        x : array-like of shape ``(n, *input_shape)``
        as_target : bool, default False
            Whether values outside [0, 1] are refused if the loss needs that interval.
        loss_is_auto : bool, default False
            Whether an estimator's ``loss="auto"`` chose the loss, for the message.
        n_jobs : int, default 1
            Number of threads that check a large array.

        Returns
        -------
        ndarray of shape ``(n, *input_shape)``, or rows of a sparse matrix

        Raises
        ------
        ValueError
            If x has another shape, is not finite, or is outside the interval.

        Examples
        --------
        >>> from npae import Autoencoder
        >>> from npae.layers import Dense
        >>> net = Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,))
        >>> net.check([[1, 2, 3, 4, 5]]).dtype.name
        'float32'
        """
        unit_interval = as_target and self.loss.needs_unit_interval
        if self._is_usual(x, unit_interval=unit_interval):
            return x
        check_columns(columns_of(x), self.columns)

        def all_within(x: Array, low: float, high: float) -> bool:
            if x.size >= LARGE:
                with self.arena.lock:
                    return self._recorded_check(n_jobs, low, high).is_within(x)
            count = np.zeros(1, np.int64)
            self.arena.kernels.count_within(x, low, high, count)
            return bool(count[0] == x.size)

        return check_samples(
            x,
            self.input_shape,
            self.arena.dtype,
            "samples",
            unit_interval=unit_interval,
            loss_is_auto=loss_is_auto,
            is_within=all_within,
        )

    def _is_usual(self, x: Any, *, unit_interval: bool) -> TypeGuard[Array]:
        """Whether x is a small array that is used as it is; of others ``check_samples`` says what is wrong."""
        if type(x) is not np.ndarray or x.dtype != self.arena.dtype or x.shape[1:] != self.input_shape:
            return False
        if not (x.flags.c_contiguous and 0 < x.size < LARGE):
            return False
        largest, count = largest_number(x.dtype), np.zeros(1, np.int64)
        low, high = (-ROUNDING, 1 + ROUNDING) if unit_interval else (-largest, largest)
        self.arena.kernels.count_within(x, low, high, count)
        return bool(count[0] == x.size)

    def _recorded_check(self, *made_for: Any) -> RecordedCheck:
        if self._check is None or self._check.made_for != made_for:
            self._check = RecordedCheck(self, *made_for)
        check: RecordedCheck = self._check
        return check

    def _check_target(self, target: Any, n: int) -> Samples:
        targets = self.check(target, as_target=True)
        if len(targets) != n:
            raise ValueError(
                f"{counted(n, 'sample')} and {counted(len(targets), 'target')} were given; give one target for each "
                f"sample"
            )
        return targets
