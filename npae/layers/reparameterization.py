"""The code of a variational autoencoder: a normal distribution for each sample, and the reparameterization trick.

Kingma & Welling, Auto-Encoding Variational Bayes, ICLR 2014; β: Higgins et al., β-VAE, ICLR 2017.
"""

from npae.layers.arena import Arena
from npae.layers.base import Layer
from npae.layers.dense import Dense
from npae.utils.scalars import real_number, whole_number
from npae.utils.types import Array, Shape


class Reparameterization(Layer):
    r"""z = μ + σ · ε with σ = exp(½ log σ²) and ε ~ N(0, 1); μ and log σ² are two Dense layers on the input.

    β times the Kullback-Leibler divergence of N(μ, σ²) from N(0, 1), summed over the code, is added to each sample's
    loss (Kingma & Welling, app. B). Since ε does not depend on μ and log σ², z is a differentiable function of both
    (the same, §2.4):

    .. math::

       \mathrm{KL} = \frac{1}{2} \sum_j \left(\mu_j^2 + \sigma_j^2 - 1 - \log \sigma_j^2\right)

    .. math::

       \frac{\partial L}{\partial \mu} = \frac{\partial L}{\partial z} + \frac{\beta \mu}{N}, \quad
       \frac{\partial L}{\partial \log \sigma^2} = \frac{\partial L}{\partial z} \cdot \frac{\sigma \varepsilon}{2}
       + \frac{\beta}{2 N} \left(\sigma^2 - 1\right)

    Outside training z = μ. β scales the KL term only. Shapes: x (N, in), μ, log σ² and z (N, code_size).

    Parameters
    ----------
    code_size : int
        Number of code dimensions.
    beta : float, default 1.0
        Weight of the KL term: 1 gives the evidence lower bound; a larger one makes the codes more like N(0, 1).
    warm_up_steps : int, default 0
        Training steps over which β rises linearly from 0 (Bowman et al. 2016), so that the decoder learns to use the
        code before the KL term restrains it.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.layers import Reparameterization
    >>> layer = Reparameterization(2).build((5,))
    >>> layer(np.ones((3, 5), dtype="float32")).shape, layer.penalty.shape
    ((3, 2), (3,))
    """

    penalty_name = "kl"

    mu: Array  # (N, code)
    log_var: Array  # (N, code)
    sigma: Array  # (N, code)
    eps: Array  # (N, code)
    z: Array  # (N, code)
    dmu: Array  # (N, code)
    dlog_var: Array  # (N, code)
    beta_now: Array  # (1,), β at this step
    key: Array  # (6,), uint32: key of the random generator at this step

    def __init__(self, code_size: int, *, beta: float = 1.0, warm_up_steps: int = 0) -> None:
        self.code_size = whole_number(code_size, "code_size")
        self.beta = real_number(beta, "beta", least=0)
        self.warm_up_steps = whole_number(warm_up_steps, "warm_up_steps", least=0)
        self.mu_head = Dense(self.code_size)
        # log σ² starts at 0 whatever the data's scale: e to the power of a large one would be infinite.
        self.log_var_head = Dense(self.code_size, initializer="zeros")

    def plan(self, input_shape: Shape, arena: Arena) -> Shape:
        arena.add(self.mu_head, input_shape, f"{self.name}.mu")
        arena.add(self.log_var_head, input_shape, f"{self.name}.log_var")
        for attribute in ("sigma", "eps", "z", "dmu", "dlog_var"):
            arena.buffer(self, attribute, (self.code_size,))
        arena.buffer(self, "penalty")
        arena.workspace(self, "beta_now", (1,))
        arena.workspace(self, "key", (6,), dtype="uint32")
        arena.penalty(self)
        return (self.code_size,)

    def draw(self) -> None:
        self.beta_now[0] = self.effective_beta
        self.run.set_key(self.key, self.name)

    def draw_next(self) -> None:
        self.kernels.next_step(self.key)
        if self.warm_up_steps:
            self.kernels.warm_up(self.key, float(self.beta), self.warm_up_steps, self.beta_now)

    def forward(self, x: Array) -> Array:
        self.draw()
        if self.run.training:
            self.kernels.standard_normal(self.key, self.eps.reshape(-1))
        else:
            self.eps[...] = 0
        self.mu = self.mu_head.forward(x)
        self.log_var = self.log_var_head.forward(x)
        self.kernels.gaussian_code(self.mu, self.log_var, self.eps, self.beta_now, self.sigma, self.z, self.penalty)
        return self.z if self.run.training else self.mu

    def backward(self, dy: Array) -> Array:
        self.kernels.gaussian_code_gradient(
            dy, self.mu, self.sigma, self.eps, self.beta_now, self.run.sample_weight, self.dmu, self.dlog_var
        )
        dx = self.mu_head.backward(self.dmu)
        # Add the gradients by x of both heads: (N, in) -> (N * in,)
        self.kernels.add_scaled(self.log_var_head.backward(self.dlog_var).reshape(-1), 1.0, dx.reshape(-1))
        return dx

    @property
    def effective_beta(self) -> float:
        """β at this training step, during and after the warm-up; the full β outside training."""
        beta = float(self.beta)  # a float32 that a user has set would round the product
        if not self.run.training or not self.warm_up_steps:
            return beta
        return beta * min(1.0, (self.run.step + 1) / self.warm_up_steps)
