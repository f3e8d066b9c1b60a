"""The variational code: a distribution for each sample, drawn from in a way that gradients can pass.

Kingma & Welling, Auto-Encoding Variational Bayes, ICLR 2014; β: Higgins et al., β-VAE, ICLR 2017.
"""

from npae.layers.arena import Arena
from npae.layers.base import Layer
from npae.layers.dense import Dense
from npae.utils.scalars import real_number, whole_number
from npae.utils.types import Array, Shape


class Reparameterization(Layer):
    """z = μ + σ · ε with σ = exp(½ log σ²) and ε ~ N(0, 1); μ and log σ² are two dense layers of the input.

    Its penalty is β times the divergence of the code from N(0, 1), summed over the code (Kingma & Welling, app. B)::

        KL = ½ Σⱼ (μⱼ² + exp(log σⱼ²) − 1 − log σⱼ²)

    Drawing ε first makes z a differentiable function of μ and log σ² (eq. 4 there)::

        dμ       = dz            + β μ / N
        d log σ² = dz · ½ σ ε    + β ½ (exp(log σ²) − 1) / N

    Without training z = μ. β scales only the KL.

    Parameters
    ----------
    code_size : int
        Number of code dimensions.
    beta : float, default 1.0
        1 gives the evidence lower bound; more presses the code towards N(0, 1).
    warm_up_steps : int, default 0
        Training steps over which β rises linearly from 0 (Bowman et al. 2016), so that the code is used before it
        costs anything.
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
    key: Array  # (6,), what ε is drawn from at this step

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
        # The sum of both heads' gradients, laid flat: (N, ...) -> (N * ...)
        self.kernels.add_scaled(self.log_var_head.backward(self.dlog_var).reshape(-1), 1.0, dx.reshape(-1))
        return dx

    @property
    def effective_beta(self) -> float:
        """β at this step of a warm-up; the full β where there is no training."""
        if not self.run.training or not self.warm_up_steps:
            return self.beta
        return self.beta * min(1.0, (self.run.step + 1) / self.warm_up_steps)
