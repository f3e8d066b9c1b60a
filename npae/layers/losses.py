"""Reconstruction losses, summed over a sample's elements and averaged over the batch.

Loss and gradient share their terms, so one method computes both: ``value_and_gradient(y, t)`` returns the loss of each
sample and the gradient by y of their *mean over the batch*.
"""

import numpy as np

from npae.layers.arena import Arena
from npae.utils.types import Array, Shape


class Loss:
    """A loss L(y, t) of the network's output y and the target t: the base class of all losses.

    Examples
    --------
    >>> from npae.losses import Loss, loss_by_name
    >>> [type(loss_by_name(name)).__name__ for name in ("bce", "mse")]
    ['BinaryCrossEntropyOnLogits', 'SquaredError']
    >>> isinstance(loss_by_name("mse"), Loss)
    True
    """

    name: str
    #: Whether y is a logit, so that reconstructions are σ(y).
    on_logits = False
    #: Whether targets must lie in [0, 1].
    needs_unit_interval = True

    losses: Array  # (N,)
    dy: Array  # (N, ...)

    def plan(self, output_shape: Shape, arena: Arena) -> None:
        """Declare the buffers of the loss; ``Autoencoder.build`` calls it.

        Parameters
        ----------
        output_shape : tuple of int
            Shape of one sample of the network's output.
        arena : Arena
            That of the network.

        Examples
        --------
        >>> import numpy as np
        >>> from npae.kernels import reference
        >>> from npae.layers.arena import Arena
        >>> from npae.losses import SquaredError
        >>> arena, loss = Arena("float64", reference), SquaredError()
        >>> loss.plan((3,), arena)
        >>> arena.allocate()
        >>> arena.resize(2)
        >>> loss.losses.shape, loss.dy.shape
        ((2,), (2, 3))
        """
        self.kernels, self.run = arena.kernels, arena.run
        self.floor = float(np.finfo(arena.dtype).eps) ** 2
        arena.buffer(self, "losses")
        arena.buffer(self, "dy", output_shape)

    def value_and_gradient(self, y: Array, t: Array) -> tuple[Array, Array]:
        """Loss of each sample, and the gradient of their mean by y.

        Parameters
        ----------
        y, t : ndarray of shape (N, ...)
            Output of the network and target, in the arena's dtype.

        Returns
        -------
        losses : ndarray of shape (N,)
        dy : ndarray of the shape of y
            Both are buffers that the next call overwrites.

        Examples
        --------
        >>> import numpy as np
        >>> from npae import Autoencoder
        >>> from npae.layers import Dense
        >>> net = Autoencoder([Dense(2)], [Dense(3)], loss="mse").build((3,))
        >>> net.arena.resize(1)
        >>> net.run.sample_weight = 1.0  # 1 / N
        >>> losses, dy = net.loss.value_and_gradient(np.float32([[1, 2, 3]]), np.float32([[1, 2, 5]]))
        >>> losses.tolist(), dy.tolist()
        ([4.0], [[0.0, 0.0, -4.0]])
        """
        # (N, ...) -> (N, elements)
        self.evaluate(_rows(y), _rows(t), _rows(self.dy))
        return self.losses, self.dy

    def evaluate(self, y: Array, t: Array, dy: Array) -> None:
        """Write ``self.losses`` and ``dy``; a subclass defines it.

        Parameters
        ----------
        y, t : ndarray of shape (N, elements)
            Output of the network and target.
        dy : ndarray of shape (N, elements)
            Where the gradient of the mean loss by y is written.

        Examples
        --------
        >>> import numpy as np
        >>> from npae import Autoencoder
        >>> from npae.layers import Dense
        >>> net = Autoencoder([Dense(2)], [Dense(3)], loss="mse").build((3,))
        >>> net.arena.resize(1)
        >>> net.run.sample_weight = 1.0  # 1 / N
        >>> net.loss.evaluate(np.float32([[1, 2, 3]]), np.float32([[1, 2, 5]]), net.loss.dy)
        >>> net.loss.losses.tolist()
        [4.0]
        """
        raise NotImplementedError


class BinaryCrossEntropyOnLogits(Loss):
    r"""L = −Σᵢ tᵢ log σ(yᵢ) + (1 − tᵢ) log(1 − σ(yᵢ)), in nats, and dy = (σ(y) − t) / N.

    The sigmoid is part of the loss: computed together they neither overflow nor divide by zero, and the gradient is a
    difference (Bishop 2006, eq. 4.91). Targets must lie in [0, 1].

    Notes
    -----
    With the logits y, the targets t and the logistic function σ

    .. math::

       L = -\sum_i \left(t_i \log \sigma(y_i) + (1 - t_i) \log (1 - \sigma(y_i))\right), \quad
       \frac{\partial}{\partial y} \frac{1}{N} \sum_n L_n = \frac{\sigma(y) - t}{N}

    Shapes: y and t (N, ...), L (N,).

    Examples
    --------
    >>> import numpy as np
    >>> from npae import Autoencoder
    >>> from npae.layers import Dense
    >>> net = Autoencoder([Dense(2)], [Dense(3)], loss="bce").build((3,))
    >>> net.arena.resize(1)
    >>> losses, dy = net.loss.value_and_gradient(np.zeros((1, 3), "float32"), np.ones((1, 3), "float32"))
    >>> bool(np.isclose(losses[0], 3 * np.log(2)))  # in nats: each of three values is as likely as not
    True
    """

    name = "bce"
    on_logits = True

    def evaluate(self, y: Array, t: Array, dy: Array) -> None:
        self.kernels.bce_on_logits(y, t, self.run.sample_weight, self.losses, dy)


class BinaryCrossEntropyOnProbabilities(Loss):
    r"""L = −Σᵢ tᵢ log yᵢ + (1 − tᵢ) log(1 − yᵢ), in nats, and dy = (y − t) / (y (1 − y) N).

    For networks whose last layer is a sigmoid (Bishop 2006, eq. 4.90). In both equations y and 1 − y are replaced by ε²
    where they are smaller, with ε the machine epsilon of the dtype. Targets must lie in [0, 1].

    Notes
    -----
    .. math::

       L = -\sum_i \left(t_i \log y_i + (1 - t_i) \log (1 - y_i)\right), \quad
       \frac{\partial}{\partial y} \frac{1}{N} \sum_n L_n = \frac{y - t}{N \, y (1 - y)}

    Shapes: y and t (N, ...), L (N,).

    Examples
    --------
    >>> import numpy as np
    >>> from npae import Autoencoder
    >>> from npae.layers import Dense, Sigmoid
    >>> net = Autoencoder([Dense(2)], [Dense(3), Sigmoid()], loss="bce_on_probabilities").build((3,))
    >>> net.arena.resize(1)
    >>> losses, dy = net.loss.value_and_gradient(np.full((1, 3), 0.5, "float32"), np.ones((1, 3), "float32"))
    >>> bool(np.isclose(losses[0], 3 * np.log(2)))
    True
    """

    name = "bce_on_probabilities"

    def evaluate(self, y: Array, t: Array, dy: Array) -> None:
        self.kernels.bce_on_probabilities(y, t, self.run.sample_weight, self.floor, self.losses, dy)


class SquaredError(Loss):
    r"""L = Σᵢ (yᵢ − tᵢ)², and dy = 2 (y − t) / N, for data of any range (Goodfellow et al. 2016, §5.1.4).

    Summed over a sample's elements, not averaged: the mean squared error per element is L / elements.

    Notes
    -----
    .. math::

       L = \sum_i (y_i - t_i)^2, \quad
       \frac{\partial}{\partial y} \frac{1}{N} \sum_n L_n = \frac{2 (y - t)}{N}

    Shapes: y and t (N, ...), L (N,).

    Examples
    --------
    >>> import numpy as np
    >>> from npae import Autoencoder
    >>> from npae.layers import Dense
    >>> net = Autoencoder([Dense(2)], [Dense(3)], loss="mse").build((3,))
    >>> net.arena.resize(1)
    >>> net.loss.value_and_gradient(np.float32([[1, 2, 3]]), np.float32([[1, 2, 5]]))[0].tolist()
    [4.0]
    """

    name = "mse"
    needs_unit_interval = False

    def evaluate(self, y: Array, t: Array, dy: Array) -> None:
        self.kernels.squared_error(y, t, self.run.sample_weight, self.losses, dy)


LOSSES: dict[str, type[Loss]] = {
    loss.name: loss for loss in (BinaryCrossEntropyOnLogits, BinaryCrossEntropyOnProbabilities, SquaredError)
}


def loss_by_name(name: str) -> Loss:
    """Make the loss of this name: "bce", "bce_on_probabilities" or "mse".

    Parameters
    ----------
    name : str

    Returns
    -------
    Loss
        A new one, not planned.

    Raises
    ------
    ValueError
        For any other name.

    Examples
    --------
    >>> from npae.layers.losses import loss_by_name
    >>> loss_by_name("mse").needs_unit_interval
    False
    """
    if name not in LOSSES:
        raise ValueError(f"unknown loss {name!r}; expected one of {', '.join(LOSSES)}")
    return LOSSES[name]()


def _rows(a: Array) -> Array:
    return a.reshape(len(a), -1)
