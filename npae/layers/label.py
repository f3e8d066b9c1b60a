"""Labels for a decoder: a conditional variational autoencoder decodes a code together with a label.

Sohn, Lee & Yan, Learning structured output representation using deep conditional generative models, NeurIPS 2015;
Kingma et al., Semi-supervised learning with deep generative models, NeurIPS 2014 (model M2).
"""

from npae.layers.arena import Arena
from npae.layers.base import Layer
from npae.utils.scalars import whole_number
from npae.utils.types import Array, Shape


class AppendLabel(Layer):
    r"""y = (x, e_c): each sample x followed by the one-hot vector of its label c, 1 at c and 0 elsewhere.

    .. math::

       y = (x_1, \ldots, x_n, 0, \ldots, 1, \ldots, 0), \quad
       \frac{\partial L}{\partial x} = \left(\frac{\partial L}{\partial y_1}, \ldots, \frac{\partial L}{\partial
       y_n}\right)

    As the first layer of a variational decoder it makes this p(x | z, c), and the bound is that of the data given its
    labels, with an encoder that does not see them (q(z | x) in place of q(z | x, c)):

    .. math::

       \log p(x \mid c) \ge E_{q(z \mid x)}\left[\log p(x \mid z, c)\right]
       - \mathrm{KL}\left(q(z \mid x) \,\|\, N(0, 1)\right)

    The network sets ``labels`` before each pass; see ``Autoencoder.gradient`` and ``decode``. Shapes: x (N, n),
    y (N, n + n_labels).

    Parameters
    ----------
    n_labels : int
        Number of different labels.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.layers import AppendLabel
    >>> layer = AppendLabel(3).build((2,))
    >>> layer.arena.resize(1)
    >>> layer.labels[:] = 1
    >>> layer(np.array([[0.5, -2]], dtype="float32")).tolist()
    [[0.5, -2.0, 0.0, 1.0, 0.0]]
    """

    labels: Array  # (N,), int64, from 0 to n_labels − 1
    y: Array  # (N, n + n_labels)
    dx: Array  # (N, n)

    def __init__(self, n_labels: int) -> None:
        self.n_labels = whole_number(n_labels, "n_labels")

    def plan(self, input_shape: Shape, arena: Arena) -> Shape:
        if len(input_shape) != 1:
            raise ValueError(f"AppendLabel needs samples of shape (n,), but is given {input_shape}; put Flatten before")
        arena.buffer(self, "labels", dtype="int64", zeroed=True)
        output_shape = (input_shape[0] + self.n_labels,)
        arena.buffer(self, "y", output_shape)
        arena.buffer(self, "dx", input_shape)
        return output_shape

    def forward(self, x: Array) -> Array:
        self.kernels.append_one_hot(x, self.labels, self.y)
        return self.y

    def backward(self, dy: Array) -> Array:
        self.kernels.append_one_hot_gradient(dy, self.dx)
        return self.dx
