"""The autoencoder: forward and backward pass, encoding and decoding; one class for all five types.

::

    x ──corrupt──▶ x̃ ──encoder──▶ h ──code──▶ z ──decoder──▶ x̂ ──loss──▶ L
                                                                         │
    dθ ◀─encoder⁻¹── dh ◀──code⁻¹── dz ◀──decoder⁻¹── dx̂ ◀───loss⁻¹──────┘

Planning, allocation, configuration and copies are in ``npae.network.base``.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np

from npae.kernels.execution.program import Program
from npae.kernels.execution.thread_team import MOST_THREADS, parts, shared_team
from npae.layers.fused import FusedLayer
from npae.network.base import Network
from npae.network.batching import batch_size_for, in_batches
from npae.network.condition import given
from npae.network.few_rows import FewRows, are_few
from npae.network.recorded_encoding import RecordedEncoding, ends_of_parts
from npae.network.saving import save
from npae.utils.add_up import add_up
from npae.utils.bytes_as_numbers import BRIGHT, hint_at_bytes, looks_like_bytes
from npae.utils.columns import check_columns, columns_of
from npae.utils.samples import Rows, Samples, dense
from npae.utils.scalars import whole_number
from npae.utils.sources import Source
from npae.utils.types import Array
from npae.utils.validation import ROUNDING, check_samples, is_unit_interval, largest_number, refuse_non_finite
from npae.utils.wording import counted

LARGE = 2**18  # values of an array from which on several threads check it


class Autoencoder(Network):
    """A network that reconstructs its input from a code: x̂ = decoder(code(encoder(corrupt(x)))).

    Call ``build`` before use.

    Parameters
    ----------
    encoder, decoder : sequence of Layer
        The decoder's output must have the shape of the encoder's input.
    loss : {"bce", "bce_on_probabilities", "mse"}, default "bce"
        See ``npae.layers.losses``. With "bce" the decoder's output is a logit, and ``decode`` returns its sigmoid.
    corrupt : sequence of Layer, default none
        Noise on the input while training; the target stays clean.
    code : sequence of Layer, default none
        Layers between encoder and decoder: ``Reparameterization``, ``ActivityL1``.
    weight_decay : float, default 0.0
        λ of the penalty ½ λ Σ W² on all weights (not on biases).

    Attributes
    ----------
    terms : dict of str to float
        The terms of the loss at the last call of ``gradient``: "reconstruction", and "kl", "activity", "weight_decay"
        where present.

    Examples
    --------
    >>> import numpy as np
    >>> from npae import Autoencoder
    >>> from npae.layers import Dense, ReLU
    >>> net = Autoencoder([Dense(8), ReLU(), Dense(2)], [Dense(8), ReLU(), Dense(16)], loss="mse").build((16,))
    >>> net.gradient(np.ones((4, 16), dtype="float32")) > 0
    True
    """

    # Training

    def gradient(self, x: Array, target: Array | None = None, *, labels: Array | None = None) -> float:
        """Compute the loss of a batch in training mode, and write its gradient by all parameters to ``dtheta``.

        The noise is a function of the seed and ``run.step``, so repeated calls give the same result until ``run.step``
        changes.

        Parameters
        ----------
        x : array-like of shape ``(N, *input_shape)``
            Converted to the network's dtype.
        target : array-like of the same shape, optional
            What to reconstruct; x itself by default.
        labels : array-like of int, shape (N,), optional
            Of a conditional network, one with ``AppendLabel`` in its decoder: from 0 to that layer's ``n_labels`` − 1.

        Returns
        -------
        float
            Mean over the batch of the loss of each sample, penalties included, plus weight decay.

        Raises
        ------
        ValueError
            If x or the target has another shape, is not finite, or, with cross-entropy, if the target is not in [0, 1].
        MemoryError
            If the buffers for N samples do not fit in free memory.
        """
        x = dense(self.check(x, as_target=target is None))
        target = x if target is None else dense(self._check_target(target, len(x)))
        labels = self.condition.check(labels, len(x))
        totals = np.zeros(len(self.term_names))
        with self.arena.lock:
            try:
                self.arena.resize(len(x))
                self.condition.set(*given(labels))
                self._pass(x, target, len(x), totals)
            finally:
                self.arena.release(x, target)
        return self.finish_gradient(self.terms_of([totals], len(x)))

    def _pass(self, x: Array, target: Array, n: int, totals: Array) -> None:
        """Forward and backward pass of x, a part of a batch of ``n``: dθ, and each term's sum in ``totals``."""
        with self._training():
            _, dy = self._forward(x, target, n)
            self._backward(dy)
        for i, (owner, values) in enumerate(self._losses_and_penalties()):
            owner.kernels.total(values, totals[i : i + 1])

    def _forward(self, x: Array, target: Array, n: int) -> tuple[Array, Array]:
        self.arena.resize(len(x))
        self.run.sample_weight = 1 / n
        h = self.encoder.forward(self.corrupt.forward(x))
        z = self.code.forward(h)
        return self.loss.value_and_gradient(self.decoder.forward(z), target)

    def _backward(self, dy: Array) -> None:
        self._backward_from_code(self.decoder.backward(dy))

    def _backward_from_code(self, dz: Array) -> None:
        dh = self.code.backward(dz)
        for layer in reversed(self._learning):
            dh = layer.backward(dh)

    def gradient_with_codes(self, x: Array, code_gradient: Callable[[Array], Array], weight: float = 1.0) -> float:
        """Write the gradient of ``weight`` · L + C to ``dtheta``: L is the loss of ``gradient``, C one of the codes.

        Parameters
        ----------
        x : array-like of shape ``(N, *input_shape)``
        code_gradient : function
            Takes the codes z ``(N, *code_shape)`` in training mode, a buffer, and returns ∂C/∂z of that shape.
        weight : float, default 1.0
            At least 0.

        Returns
        -------
        float
            The loss L.

        Examples
        --------
        >>> import numpy as np
        >>> from npae import Autoencoder
        >>> from npae.layers import Dense
        >>> net = Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,))
        >>> x = np.ones((4, 5), dtype="float32")
        >>> net.gradient_with_codes(x, lambda z: 0.1 * z) == net.gradient(x)  # C = 0.05 ‖z‖² is not part of it
        True
        """
        x = dense(self.check(x, as_target=True))
        with self.arena.lock:
            try:
                with self._training():
                    self.arena.resize(len(x))
                    self.run.sample_weight = weight / len(x)
                    z = self.code.forward(self.encoder.forward(self.corrupt.forward(x)))
                    dz = np.asarray(code_gradient(z), self.arena.dtype)
                    losses, dy = self.loss.value_and_gradient(self.decoder.forward(z), x)
                    total = losses.sum() + sum(layer.penalty.sum() for layer in self.arena.penalized)
                    self._backward_from_code(self.decoder.backward(dy) + dz)
            finally:
                self.arena.release(x)
        if self.weight_decay:
            W, dW = self.theta[self.arena.decayed], self.dtheta[self.arena.decayed]
            self.arena.kernels.add_scaled(W, weight * self.weight_decay, dW)
        return float(total / len(x)) + self.weight_penalty()

    # The terms of the loss

    def _losses_and_penalties(self) -> list[tuple[Any, Array]]:
        return [(self.loss, self.loss.losses), *((layer, layer.penalty) for layer in self.arena.penalized)]

    @property
    def term_names(self) -> list[str]:
        """Names of the terms that ``_pass`` sums up: "reconstruction", and one for each layer with a penalty."""
        return ["reconstruction", *(layer.penalty_name for layer in self.arena.penalized)]

    def terms_of(self, totals: Iterable[Array], n: int) -> dict[str, float]:
        """The terms of the loss of a batch by name, from the sums over each of its parts, in a fixed order.

        Parameters
        ----------
        totals : iterable of ndarray of shape (terms,)
            For each part of the batch the sum of each term, in the order of ``term_names``.
        n : int
            Number of samples of the batch.

        Returns
        -------
        dict of str to float
            Means over the batch.

        Examples
        --------
        >>> import numpy as np
        >>> from npae import Autoencoder
        >>> from npae.layers import Dense
        >>> net = Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,))
        >>> net.terms_of([np.array([6.0]), np.array([2.0])], n=4)
        {'reconstruction': 2.0}
        """
        terms: dict[str, float] = {}
        for part in totals:
            for name, total in zip(self.term_names, part.tolist(), strict=True):
                terms[name] = terms.get(name, 0.0) + total / n
        return terms

    def finish_gradient(self, terms: dict[str, float]) -> float:
        """Add weight decay, L += ½ λ ‖W‖² and dW += λ W; W is the first part of θ.

        Parameters
        ----------
        terms : dict of str to float
            As ``terms_of`` returns them; weight decay is added to it.

        Returns
        -------
        float
            The sum of the terms.

        Examples
        --------
        >>> from npae import Autoencoder
        >>> from npae.layers import Dense
        >>> net = Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,))
        >>> net.finish_gradient({"reconstruction": 2.0})
        2.0
        """
        self.terms = terms
        if self.weight_decay:
            self.terms["weight_decay"] = self.weight_penalty()
            W, dW = self.theta[self.arena.decayed], self.dtheta[self.arena.decayed]
            self.arena.kernels.add_scaled(W, self.weight_decay, dW)
        return float(add_up(self.terms.values()))

    def weight_penalty(self) -> float:
        """½ λ ‖W‖², the weight decay term of the loss.

        Returns
        -------
        float

        Examples
        --------
        >>> from npae import Autoencoder
        >>> from npae.layers import Dense
        >>> net = Autoencoder([Dense(1)], [Dense(2)], loss="mse", weight_decay=0.5).build((2,))
        >>> for layer in (*net.encoder.layers, *net.decoder.layers):
        ...     layer.W[...] = 1  # two weights each
        >>> net.weight_penalty()
        1.0
        """
        W = self.theta[self.arena.decayed]
        return 0.5 * self.weight_decay * float(W @ W)

    def record_pass(self, x: Array, target: Array, n: int, totals: Array, program: Program) -> None:
        """Record the forward and backward pass of x, a part of a batch of ``n``: dθ, and the terms' sums in ``totals``.

        npae's own layers only call kernels, so their kernel calls are recorded, with those of ``draw_next`` at the end,
        so that the next run is that of the next step. A user-defined layer may do anything, so with one the whole pass
        is recorded as a single call of a Python function.

        Parameters
        ----------
        x, target : ndarray of shape ``(N, *input_shape)``
            Buffers, whose contents are read when the program runs.
        n : int
            Number of samples of the whole batch.
        totals : ndarray of float64, shape (terms,)
            Where the sums are added, in the order of ``term_names``.
        program : Program
            Takes the calls.

        Examples
        --------
        >>> import numpy as np
        >>> from npae import Autoencoder
        >>> from npae.kernels.execution.program import Program
        >>> from npae.layers import Dense
        >>> net = Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,))
        >>> x, program = np.ones((4, 5), dtype="float32"), Program()
        >>> net.record_pass(x, x, 4, np.zeros(1), program)
        >>> len(program) > 0
        True
        """
        if not self.is_recordable:
            program.add(self._pass, x, target, n, totals)
            return
        with self.recording(program):
            self._pass(x, target, n, totals)
            for layer in self._drawing:
                layer.draw_next()

    # Inference: no noise, no gradient, any number of samples

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

    def save(self, path: str | Path) -> None:
        """Write the built network to a safetensors file, which ``npae.load`` reads; an existing file is replaced.

        Parameters
        ----------
        path : str or Path
            By custom it ends in ``.safetensors``.

        Raises
        ------
        ValueError
            If the network is not built.

        Examples
        --------
        >>> import npae
        >>> from npae.layers import Dense
        >>> net = npae.Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,))
        >>> net.save("network.safetensors")
        >>> npae.load("network.safetensors").code_shape
        (2,)
        """
        save(self, path)

    # Validation and diagnosis

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
            look, count = self.arena.kernels.count_within, np.zeros((n_jobs, 1), np.int64)
            if x.size < LARGE:
                look(x, low, high, count[0])
            else:
                flat, programs = x.reshape(-1), [Program() for _ in range(n_jobs)]
                for program, part, own in zip(programs, parts(flat, n_jobs), count, strict=True):
                    program.add(look, flat[part], low, high, own)
                shared_team(n_jobs).run(programs)
            return int(count.sum()) == x.size

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

    def _check_target(self, target: Any, n: int) -> Samples:
        targets = self.check(target, as_target=True)
        if len(targets) != n:
            raise ValueError(
                f"{counted(n, 'sample')} and {counted(len(targets), 'target')} were given; give one target for each "
                f"sample"
            )
        return targets

    def outputs(self, x: Array, labels: Array | None = None) -> Iterator[tuple[str, Array]]:
        """Each layer's output for a batch, in training mode.

        Parameters
        ----------
        x : ndarray of shape ``(N, *input_shape)``
            As ``check`` returns it.
        labels : array-like of int, shape (N,), optional
            Those of a conditional network, as for ``gradient``.

        Yields
        ------
        name : str
            Of the layer, such as "encoder.0".
        y : ndarray of shape (N, ...)
            A buffer that the next step may overwrite.

        Examples
        --------
        >>> import numpy as np
        >>> from npae import Autoencoder
        >>> from npae.layers import Dense
        >>> net = Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,))
        >>> [(name, y.shape) for name, y in net.outputs(np.ones((3, 5), "float32"))]
        [('encoder.0', (3, 2)), ('decoder.0', (3, 5))]
        """
        batch = x
        self.arena.resize(len(x))
        self.condition.set(*given(self.condition.check(labels, len(x))))
        try:
            with self._training():
                for step in (step for slot in self._slots() for step in slot.steps):
                    x = step.forward(x)
                    yield step.convolution.name if isinstance(step, FusedLayer) else step.name, x
        finally:
            self.arena.release(batch)

    def first_non_finite(self, x: Array, labels: Array | None = None) -> str | None:
        """Name of the first layer whose output for a batch, in training mode, is not finite.

        Parameters
        ----------
        x : ndarray of shape ``(N, *input_shape)``
            As ``check`` returns it.
        labels : array-like of int, shape (N,), optional
            Those of a conditional network, as for ``gradient``.

        Returns
        -------
        str or None
            None where all outputs are finite.

        Examples
        --------
        >>> import numpy as np
        >>> from npae import Autoencoder
        >>> from npae.layers import Dense
        >>> net = Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,))
        >>> net.decoder.layers[0].b[0] = np.inf
        >>> net.first_non_finite(np.ones((3, 5), "float32"))
        'decoder.0'
        """
        return next((name for name, y in self.outputs(x, labels) if not np.isfinite(y).all()), None)


def _check_threads(n_jobs: Any) -> None:
    if whole_number(n_jobs, "n_jobs") > MOST_THREADS:
        raise ValueError(f"n_jobs is {n_jobs}; expected at most {MOST_THREADS} threads")
