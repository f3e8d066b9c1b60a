"""Optimizers: SGD with momentum, Adam, AdamW and RMSprop, each one pass over the flat vectors θ and dθ.

The state of an optimizer is the vectors of θ's size in ``state``, by name, and the number of ``steps``; a checkpoint
saves both.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from npae.kernels.execution.program import Program, Recorder
from npae.kernels.execution.thread_team import Plan, ThreadTeam, parts, shared_team
from npae.layers.aligned import zero_vector
from npae.layers.arena import Arena
from npae.utils.scalars import real_number
from npae.utils.types import Array


class Optimizer:
    """Base class of optimizers: update θ with its gradient dθ.

    Parameters
    ----------
    learning_rate : float
        Step size, above 0; multiplied by the factor of the schedule.

    Examples
    --------
    >>> import numpy as np
    >>> from npae import Autoencoder
    >>> from npae.layers import Dense
    >>> from npae.optimizers import Adam
    >>> net = Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,))
    >>> optimizer = Adam(0.01)
    >>> optimizer.bind(net.arena)
    >>> x = np.ones((4, 5), dtype="float32")
    >>> before = net.gradient(x)
    >>> optimizer.step()
    >>> net.gradient(x) < before, optimizer.steps
    (True, 1)
    >>> kept = optimizer.kept_state()
    >>> optimizer.restore(kept)
    >>> sorted(kept)
    ['m', 'steps', 'v']
    """

    state_names: tuple[str, ...] = ()

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = real_number(learning_rate, "learning_rate", above=0)

    def bind(self, arena: Arena) -> None:
        """Allocate the state for the parameters of ``arena``, and reset it.

        Parameters
        ----------
        arena : Arena
            Of a built network: ``net.arena``.
        """
        self.arena = arena
        size, dtype = arena.theta.size, arena.theta.dtype
        self.state: dict[str, Array] = {
            name: zero_vector(size, dtype, number) for number, name in enumerate(self.state_names, 2)
        }
        self.rate, self.count = np.zeros(1), np.zeros(1, np.int64)
        self._plan = Plan()
        self._recorded_for: Any = None

    @property
    def steps(self) -> int:
        """Number of steps taken since ``bind``."""
        return int(self.count[0])

    def kept_state(self) -> dict[str, Array]:
        """A copy of all that the optimizer remembers, by name, for ``restore``.

        Returns
        -------
        dict of str to ndarray
        """
        return {"steps": self.count.copy()} | {name: vector.copy() for name, vector in self.state.items()}

    def restore(self, kept: Mapping[str, Array]) -> None:
        """Go on from what ``kept_state`` gave, of an optimizer of the same type for as many parameters.

        Parameters
        ----------
        kept : mapping of str to ndarray
        """
        self.count[...] = kept["steps"]
        for name, vector in self.state.items():
            vector[...] = kept[name]

    @property
    def settings(self) -> dict[str, Any]:
        """The hyperparameters, by name."""
        return {name: value for name, value in vars(self).items() if isinstance(value, (int, float, np.number))}

    def step(self, rate_factor: float = 1.0, team: ThreadTeam | None = None) -> None:
        """Take one step with the arena's gradient; each thread of a team updates a part of the vectors.

        Parameters
        ----------
        rate_factor : float, default 1.0
            Of the schedule, by which the learning rate is multiplied.
        team : ThreadTeam, optional
            By default one thread.
        """
        team = team or shared_team(1)
        self.count[0] += 1
        self.rate[0] = self.learning_rate * rate_factor
        recorded_for = (team.size, self.settings)
        if recorded_for != self._recorded_for:
            programs = [Program() for _ in range(team.size)]
            for program, part in zip(programs, parts(self.arena.theta, team.size), strict=True):
                self.record(program, part)
            self._plan, self._recorded_for = Plan(programs), recorded_for
        team.carry_out(self._plan)

    @property
    def is_recordable(self) -> bool:
        """Whether a step is ``update`` alone, so that it can be part of a recorded one; a subclass may do otherwise."""
        return type(self).step is Optimizer.step

    def record(self, program: Program, part: slice) -> None:
        """Record the update of a part of the vectors.

        Parameters
        ----------
        program : Program
            Takes the calls.
        part : slice
            Of θ, dθ and the state.

        Examples
        --------
        >>> from npae import Autoencoder
        >>> from npae.kernels.execution.program import Program
        >>> from npae.layers import Dense
        >>> from npae.optimizers import Adam
        >>> net, program = Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,)), Program()
        >>> optimizer = Adam(0.01)
        >>> optimizer.bind(net.arena)
        >>> optimizer.record(program, slice(0, 16))
        >>> len(program)
        1
        """
        self.update(Recorder(self.arena.kernels, program), part)

    def update(self, kernels: Any, part: slice) -> None:
        """Update a part of θ by kernel calls, which are recorded; values that change with the step are in arrays.

        Parameters
        ----------
        kernels : object
            Has the kernels as methods, which record their call.
        part : slice
            Of θ, dθ and the state.

        Examples
        --------
        >>> from npae import Autoencoder
        >>> from npae.kernels import reference
        >>> from npae.layers import Dense
        >>> from npae.optimizers import SGD
        >>> net = Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,))
        >>> optimizer = SGD(0.1)
        >>> optimizer.bind(net.arena)
        >>> optimizer.update(reference, slice(0, 10))
        """
        raise NotImplementedError


class SGD(Optimizer):
    r"""v ← momentum · v + dθ; θ ← θ − rate · v (Polyak 1964; Sutskever et al. 2013, without Nesterov's look-ahead).

    Parameters
    ----------
    learning_rate : float, default 0.01
        Above 0.
    momentum : float, default 0.0
        At least 0.

    Notes
    -----
    With the momentum μ

    .. math::

       v \leftarrow \mu v + d\theta, \quad \theta \leftarrow \theta - \mathrm{rate} \cdot v

    Examples
    --------
    >>> from npae.training.optimizers import SGD
    >>> SGD(0.1, momentum=0.9).settings
    {'learning_rate': 0.1, 'momentum': 0.9}
    """

    state_names = ("velocity",)

    def __init__(self, learning_rate: float = 1e-2, *, momentum: float = 0.0) -> None:
        super().__init__(learning_rate)
        self.momentum = real_number(momentum, "momentum", least=0)

    def update(self, kernels: Any, part: slice) -> None:
        theta, dtheta, velocity = self.arena.theta, self.arena.dtheta, self.state["velocity"]
        kernels.sgd(theta[part], dtheta[part], velocity[part], self.rate, self.momentum)


class Adam(Optimizer):
    r"""Steps scaled by running means of the gradient and of its square (Kingma & Ba 2015, algorithm 1).

    m and v start at 0, and t counts the steps from 1:

    .. math::

       m \leftarrow \beta_1 m + (1 - \beta_1) \, d\theta, \quad
       v \leftarrow \beta_2 v + (1 - \beta_2) \, d\theta^2

    .. math::

       \theta \leftarrow \theta - \mathrm{rate} \cdot
       \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \varepsilon}

    Parameters
    ----------
    learning_rate : float, default 0.001
        Above 0.
    beta1, beta2 : float, default 0.9 and 0.999
        Decay of the running means of the gradient and of its square.
    epsilon : float, default 1e-8

    Examples
    --------
    >>> import numpy as np
    >>> from npae import Autoencoder
    >>> from npae.layers import Dense
    >>> from npae.optimizers import Adam
    >>> from npae.training import Training
    >>> net = Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,))
    >>> training = Training(net, Adam(0.01))
    >>> training.fit(np.ones((128, 5), dtype="float32"), epochs=3)
    >>> training.history["loss"][-1] < training.history["loss"][0]
    True
    """

    state_names = ("m", "v")

    def __init__(
        self, learning_rate: float = 1e-3, *, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8
    ) -> None:
        super().__init__(learning_rate)
        self.beta1 = real_number(beta1, "beta1", least=0, most=1)
        self.beta2 = real_number(beta2, "beta2", least=0, most=1)
        self.epsilon = real_number(epsilon, "epsilon", least=0)

    def update(self, kernels: Any, part: slice, decay: float = 0.0) -> None:
        theta, dtheta, m, v = self.arena.theta, self.arena.dtheta, self.state["m"], self.state["v"]
        settings = (self.beta1, self.beta2, self.epsilon, decay)
        kernels.adam(theta[part], dtheta[part], m[part], v[part], self.rate, self.count, *settings)


class AdamW(Adam):
    """Adam with decoupled weight decay: θ ← θ − rate · weight_decay · θ before each step (Loshchilov & Hutter 2019).

    Parameters
    ----------
    learning_rate, beta1, beta2, epsilon : float
        As for Adam.
    weight_decay : float, default 0.01
        Applied to weights, not to biases.

    Examples
    --------
    >>> from npae.optimizers import AdamW
    >>> AdamW(0.01, weight_decay=0.1).settings["weight_decay"]
    0.1
    """

    def __init__(
        self,
        learning_rate: float = 1e-3,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(learning_rate, beta1=beta1, beta2=beta2, epsilon=epsilon)
        self.weight_decay = real_number(weight_decay, "weight_decay", least=0)

    def update(self, kernels: Any, part: slice, decay: float = 0.0) -> None:
        first_bias = min(max(self.arena.decayed.stop, part.start), part.stop)  # weights come first
        super().update(kernels, slice(part.start, first_bias), self.weight_decay)
        super().update(kernels, slice(first_bias, part.stop))


class RMSprop(Optimizer):
    r"""v ← decay · v + (1 − decay) dθ²; θ ← θ − rate · dθ / (√v + ε) (Tieleman & Hinton 2012, lecture 6.5).

    Parameters
    ----------
    learning_rate : float, default 0.001
        Above 0.
    decay : float, default 0.9
        Of the running mean of the gradient's square, in [0, 1].
    epsilon : float, default 1e-8
        Keeps the denominator above 0.

    Notes
    -----
    .. math::

       v \leftarrow \rho v + (1 - \rho) \, d\theta^2, \quad
       \theta \leftarrow \theta - \mathrm{rate} \cdot \frac{d\theta}{\sqrt{v} + \varepsilon}

    where ρ is ``decay``.

    Examples
    --------
    >>> from npae.optimizers import RMSprop
    >>> RMSprop(0.01).settings
    {'learning_rate': 0.01, 'decay': 0.9, 'epsilon': 1e-08}
    """

    state_names = ("v",)

    def __init__(self, learning_rate: float = 1e-3, *, decay: float = 0.9, epsilon: float = 1e-8) -> None:
        super().__init__(learning_rate)
        self.decay = real_number(decay, "decay", least=0, most=1)
        self.epsilon = real_number(epsilon, "epsilon", least=0)

    def update(self, kernels: Any, part: slice) -> None:
        theta, dtheta, v = self.arena.theta, self.arena.dtheta, self.state["v"]
        kernels.rmsprop(theta[part], dtheta[part], v[part], self.rate, self.decay, self.epsilon)


OPTIMIZERS: dict[str, type[Optimizer]] = {"sgd": SGD, "adam": Adam, "adamw": AdamW, "rmsprop": RMSprop}


def optimizer_by_name(name: str, learning_rate: float, **options: Any) -> Optimizer:
    """A new optimizer by its name.

    Parameters
    ----------
    name : {"sgd", "adam", "adamw", "rmsprop"}
    learning_rate : float
        Above 0.
    **options
        Further arguments of the class.

    Returns
    -------
    Optimizer

    Raises
    ------
    ValueError
        For any other name, or an argument that is not valid.

    Examples
    --------
    >>> from npae.optimizers import optimizer_by_name
    >>> optimizer_by_name("adamw", 0.01, weight_decay=0.1).settings["learning_rate"]
    0.01
    """
    if name not in OPTIMIZERS:
        raise ValueError(f"unknown optimizer {name!r}; expected one of {', '.join(OPTIMIZERS)}")
    return OPTIMIZERS[name](learning_rate, **options)


def clip_by_norm(dtheta: Array, limit: float) -> float:
    """Scale the gradient to a norm if its own is larger (Pascanu et al. 2013).

    Parameters
    ----------
    dtheta : ndarray of shape (size,)
        Changed in place.
    limit : float
        Largest norm.

    Returns
    -------
    float
        The norm before.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.optimizers import clip_by_norm
    >>> dtheta = np.array([3.0, 4.0])
    >>> clip_by_norm(dtheta, 1.0), dtheta.tolist()
    (5.0, [0.6000000000000001, 0.8])
    """
    # In float64, since the square of a large float32 may be infinite.
    norm = float(np.sqrt(np.einsum("i,i->", dtheta, dtheta, dtype=np.float64)))
    if norm > limit:
        dtheta *= limit / norm
    return norm
