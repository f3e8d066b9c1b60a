"""The forward and the backward pass of a network: the loss of a batch, and its gradient by all parameters.

::

    x ──corrupt──▶ x̃ ──encoder──▶ h ──code──▶ z ──decoder──▶ x̂ ──loss──▶ L
                                                                         │
    dθ ◀─encoder⁻¹── dh ◀──code⁻¹── dz ◀──decoder⁻¹── dx̂ ◀───loss⁻¹──────┘

"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from npae.kernels.execution.program import Program
from npae.network.checking import Checking
from npae.network.condition import given
from npae.utils.add_up import add_up
from npae.utils.samples import dense
from npae.utils.types import Array


class Passes(Checking):
    """The methods of a network that learning needs; see ``Autoencoder``."""

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
