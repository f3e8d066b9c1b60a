"""Inference of a network: encoding, decoding, reconstruction and losses, without noise and without gradient.

Any number of samples is taken; of many, a batch at a time is in the buffers.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Any

import numpy as np

from npae.kernels.execution.program import Program
from npae.kernels.execution.thread_team import MOST_THREADS
from npae.network.batching import batch_size_for, in_batches
from npae.network.condition import given
from npae.network.few_rows import FewRows, are_few
from npae.network.passes import Passes
from npae.network.recorded_encoding import RecordedEncoding, ends_of_parts
from npae.utils.bytes_as_numbers import BRIGHT, hint_at_bytes, looks_like_bytes
from npae.utils.columns import check_columns, columns_of
from npae.utils.samples import Rows, Samples, dense
from npae.utils.scalars import whole_number
from npae.utils.sources import Source
from npae.utils.types import Array
from npae.utils.validation import check_samples, is_unit_interval, largest_number, refuse_non_finite


class Inference(Passes):
    """The methods of a network that use what it has learned; see ``Autoencoder``."""

    def encode(self, x: Samples | Source, *, n_jobs: int = 1) -> Array:
        """Encode samples.

        Parameters
        ----------
        x : array-like of shape ``(n, *input_shape)``
        n_jobs : int, default 1
            Number of threads, at most 256, used if there are at least two batches of samples.

        Returns
        -------
        ndarray of shape ``(n, *code_shape)``
            The codes; of a variational network their means.

        Raises
        ------
        ValueError
            If x has another shape or is not finite.
        """
        if are_few(x, self):
            _check_threads(n_jobs)
            if (codes := self._codes_if_usual(x)) is not None:
                return codes
        parts = self.encode_parts(x, n_jobs=n_jobs)
        first, second = next(parts), next(parts, None)
        if second is None:
            return first
        joined = np.empty((len(x), *self.code_shape), first.dtype)
        start = 0
        for part in chain([first, second], parts):
            joined[start : start + len(part)] = part
            start += len(part)
        return joined

    def encode_parts(self, x: Samples | Source, *, n_jobs: int = 1) -> Iterator[Array]:
        """The codes that ``encode`` returns, of an array at once and of the samples of a source in parts.

        Parameters
        ----------
        x : array-like of shape ``(n, *input_shape)``, or a source
        n_jobs : int, default 1
            Number of threads.

        Yields
        ------
        ndarray of shape ``(m, *code_shape)``
            The codes of the next m samples.

        Raises
        ------
        ValueError
            If x has another shape or is not finite, or ``n_jobs`` is out of range.

        Examples
        --------
        >>> import numpy as np
        >>> from npae import Autoencoder
        >>> from npae.layers import Dense
        >>> net = Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,))
        >>> [codes.shape for codes in net.encode_parts(np.ones((3, 5)))]
        [(3, 2)]
        """
        _check_threads(n_jobs)
        size = batch_size_for(self.arena)
        can_be_long = isinstance(x, np.ndarray | Rows | Source) and len(x.shape) > 0
        if not (can_be_long and len(x) >= 2 * size and self.is_recordable):
            x = self.check(x)
            self._hint_at_bytes(x)
            yield in_batches(self.arena, self._code_of, self.code_shape, x)
            return
        check_columns(columns_of(x), self.columns)
        x = check_samples(x, self.input_shape, self.arena.dtype, "samples", values_later=True)
        self._hint_at_bytes(x)
        start = 0
        for stop in ends_of_parts(x.shape, size) if isinstance(x, Rows) else [len(x)]:
            part = x[start:stop]
            with self.arena.lock:
                codes, is_finite = self._recorded_encoding(n_jobs).encode(dense(part))
            if not is_finite:
                refuse_non_finite(part, "samples")
            yield codes
            start = stop

    def encode_checked(self, x: Samples) -> Array:
        """Encode samples that ``check`` has returned, with no further look at their values.

        Parameters
        ----------
        x : ndarray of shape ``(n, *input_shape)``, or rows of a sparse matrix or of a source

        Returns
        -------
        ndarray of shape ``(n, *code_shape)``

        Examples
        --------
        >>> import numpy as np
        >>> from npae import Autoencoder
        >>> from npae.layers import Dense
        >>> net = Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,))
        >>> net.encode_checked(net.check(np.ones((3, 5)))).shape
        (3, 2)
        """
        if are_few(x, self):
            with self.arena.lock:
                codes = self._few_rows().codes(self, x)
            if codes is not None:
                return codes
        return in_batches(self.arena, self._code_of, self.code_shape, x)

    def _codes_if_usual(self, x: Array) -> Array | None:
        """Codes of a few rows, or None, as where one of their values is to be refused or is worth a hint."""
        with self.arena.lock:
            return self._few_rows().codes_if_usual(self, x)

    def _few_rows(self) -> FewRows:
        if self._of_few is None:
            largest = largest_number(self.arena.dtype)
            high = float(np.nextafter(self.arena.dtype.type(BRIGHT), 0)) if self.loss.needs_unit_interval else largest
            self._of_few = FewRows(self, -largest, high)
        few: FewRows = self._of_few
        return few

    def _hint_at_bytes(self, x: Samples) -> None:
        if self.loss.needs_unit_interval:
            hint_at_bytes(x)

    def _code_of(self, x: Array) -> Array:
        return self.code.forward(self.encoder.forward(x))

    def _recorded_encoding(self, n_jobs: int) -> RecordedEncoding:
        self.arena.resize(batch_size_for(self.arena))
        recorded = self._encodings.get(n_jobs)
        if recorded is None or recorded.recorded_for != recorded.present():
            recorded = RecordedEncoding(self, n_jobs)
            # That of one thread, which needs no replica, and of one other number of threads.
            self._encodings = {n: other for n, other in self._encodings.items() if n == 1} | {n_jobs: recorded}
        return recorded

    def record_encoding(self, x: Array, program: Program) -> Array:
        self.arena.resize(len(x))
        with self.recording(program):
            return self._code_of(x)

    def decode(self, z: Samples, labels: Array | None = None) -> Array:
        """Decode codes.

        Parameters
        ----------
        z : array-like of shape ``(n, *code_shape)``
        labels : array-like of int, shape (n,), optional
            Those of a conditional network, as for ``gradient``.

        Returns
        -------
        ndarray of shape ``(n, *input_shape)``, in the network's dtype
            With loss "bce" in [0, 1].

        Raises
        ------
        ValueError
            If z has another shape or is not finite, or labels are missing or out of range.

        Examples
        --------
        >>> import numpy as np
        >>> from npae import Autoencoder
        >>> from npae.layers import Dense
        >>> net = Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,))
        >>> net.decode(np.zeros((3, 2))).shape
        (3, 5)
        """
        codes = check_samples(z, self.code_shape, self.arena.dtype, "codes")
        labels = self.condition.check(labels, len(codes))
        return in_batches(self.arena, self._decoded, self.input_shape, codes, *given(labels))

    def _decoded(self, z: Array, *labels: Array) -> Array:
        self.condition.set(*labels)
        return self._visible(self.decoder.forward(z))

    def reconstruct(self, x: Samples, labels: Array | None = None) -> Array:
        """Encode samples, without noise, and decode their codes.

        Parameters
        ----------
        x : array-like of shape ``(n, *input_shape)``
        labels : array-like of int, shape (n,), optional
            Those of a conditional network, as for ``gradient``.

        Returns
        -------
        ndarray of shape ``(n, *input_shape)``, in the network's dtype

        Raises
        ------
        ValueError
            If x has another shape or is not finite.

        Examples
        --------
        >>> import numpy as np
        >>> from npae import Autoencoder
        >>> from npae.layers import Dense
        >>> net = Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,))
        >>> net.reconstruct(np.ones((3, 5))).shape
        (3, 5)
        """
        return self.decode(self.encode(x), labels)

    def losses(
        self, x: Samples, target: Samples | None = None, *, any_range: bool = False, labels: Array | None = None
    ) -> Array:
        """Each sample's loss, penalties included and noise not; of a variational network at the mean code.

        Parameters
        ----------
        x : array-like of shape ``(n, *input_shape)``
        target : array-like of the same shape, optional
            What to reconstruct; x itself by default.
        any_range : bool, default False
            Whether a value outside [0, 1] is no obstacle to cross-entropy: it counts as the nearest one within, plus
            the square of the distance between both. Data of 0–255 is refused all the same.
        labels : array-like of int, shape (n,), optional
            Those of a conditional network, as for ``gradient``.

        Returns
        -------
        ndarray of shape (n,), in the network's dtype
            In nats for cross-entropy.

        Raises
        ------
        ValueError
            If x or the target has another shape, is not finite, or is out of range.

        Examples
        --------
        >>> import numpy as np
        >>> from npae import Autoencoder
        >>> from npae.layers import Dense
        >>> net = Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,))
        >>> net.losses(np.zeros((3, 5))).tolist()  # zeros are reconstructed, since biases start at 0
        [0.0, 0.0, 0.0]
        """
        checked = self.check(x, as_target=target is None and not any_range)
        condition = given(self.condition.check(labels, len(checked)))
        if target is not None:
            targets = self._check_target(target, len(checked))
            return in_batches(self.arena, self._losses, (), checked, targets, *condition)
        is_beyond = any_range and self.loss.needs_unit_interval and not is_unit_interval(checked)
        if is_beyond and looks_like_bytes(checked):  # a forgotten division by 255, whose score would mean nothing
            self.check(checked, as_target=True, loss_is_auto=True)
        losses = self._losses_beyond if is_beyond else self._losses_of_itself
        return in_batches(self.arena, losses, (), checked, *condition)

    def _losses_beyond(self, x: Array, *labels: Array) -> Array:
        nearest = x.clip(0, 1)
        distances: Array = np.square(x - nearest).reshape(len(x), -1).sum(axis=1)
        return self._losses(x, nearest, *labels) + distances

    def _losses_of_itself(self, x: Array, *labels: Array) -> Array:
        return self._losses(x, x, *labels)

    def _losses(self, x: Array, target: Array, *labels: Array) -> Array:
        self.condition.set(*labels)
        losses, _ = self._forward(x, target, len(x))
        for layer in self.arena.penalized:
            losses += layer.penalty
        return losses

    def _visible(self, y: Array) -> Array:
        """The decoder's output y (N, ...) as users see it: σ(y) where y is a logit, else y."""
        if self.loss.on_logits:
            self.arena.kernels.sigmoid(y, self.loss.dy)
            return self.loss.dy
        return y


def _check_threads(n_jobs: Any) -> None:
    if whole_number(n_jobs, "n_jobs") > MOST_THREADS:
        raise ValueError(f"n_jobs is {n_jobs}; expected at most {MOST_THREADS} threads")
