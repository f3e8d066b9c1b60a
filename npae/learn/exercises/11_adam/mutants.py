"""What else goes wrong with Adam."""

import numpy as np

from npae.learn.mutant import mutant


def walk(gradients, start, beta1, beta2, step):
    """θ after each step, each of which takes ``step(m, v, t)`` away."""
    theta, m, v, path = start, 0.0, 0.0, np.empty_like(gradients)
    for t, d in enumerate(gradients, start=1):
        m, v = beta1 * m + (1 - beta1) * d, beta2 * v + (1 - beta2) * d**2
        theta = theta - step(m, v, t)
        path[t - 1] = theta
    return path


@mutant("adam", "θ + rate·m̂ / (√v̂ + ε)", "The gradient points to where the loss rises.")
def uphill(right, gradients, start, rate, beta1, beta2, epsilon):
    return right(gradients, start, -rate, beta1, beta2, epsilon)


@mutant("adam", "β1 and β2 exchanged", "The mean of squares remembers longer than the mean of gradients.")
def betas_exchanged(right, gradients, start, rate, beta1, beta2, epsilon):
    return right(gradients, start, rate, beta2, beta1, epsilon)


@mutant("adam", "m and v begin at 0 in every step", "A running mean lives from step to step.")
def means_forgotten(right, gradients, start, rate, beta1, beta2, epsilon):
    return start - np.cumsum(rate * gradients / (np.abs(gradients) + epsilon), axis=0)


@mutant("adam", "m̂ and v̂ carried on", "The hats are for the step; the running means go on without them.")
def corrected_means_carried_on(right, gradients, start, rate, beta1, beta2, epsilon):
    theta, m, v, path = start, 0.0, 0.0, np.empty_like(gradients)
    for t, d in enumerate(gradients, start=1):
        m = (beta1 * m + (1 - beta1) * d) / (1 - beta1**t)
        v = (beta2 * v + (1 - beta2) * d**2) / (1 - beta2**t)
        theta = theta - rate * m / (np.sqrt(v) + epsilon)
        path[t - 1] = theta
    return path


@mutant("adam", "every row is θ at the end", "One array in a list many times is one array: each step needs its own.")
def same_row_appended(right, gradients, start, rate, beta1, beta2, epsilon):
    path = right(gradients, start, rate, beta1, beta2, epsilon)
    return np.broadcast_to(path[-1], path.shape).copy()


@mutant("adam", "every step from the start", "Each step begins where the last one ended.")
def always_from_start(right, gradients, start, rate, beta1, beta2, epsilon):
    path = right(gradients, start, rate, beta1, beta2, epsilon)
    return start + np.diff(path, axis=0, prepend=start[None])


@mutant("adam", "m corrected, v not", "Both means begin at 0.")
def second_uncorrected(right, gradients, start, rate, beta1, beta2, epsilon):
    def step(m, v, t):
        return rate * m / (1 - beta1**t) / (np.sqrt(v) + epsilon)

    return walk(gradients, start, beta1, beta2, step)


@mutant("adam", "both corrections at the rate: m / (√v + ε)", "ε stands beside the corrected root.")
def epsilon_beside_v(right, gradients, start, rate, beta1, beta2, epsilon):
    def step(m, v, t):
        return rate * np.sqrt(1 - beta2**t) / (1 - beta1**t) * m / (np.sqrt(v) + epsilon)

    return walk(gradients, start, beta1, beta2, step)


@mutant("adam", "no root: m̂ / (v̂ + ε)", "A step has the size of the rate only if above and below have the same unit.")
def no_root(right, gradients, start, rate, beta1, beta2, epsilon):
    def step(m, v, t):
        return rate * m / (1 - beta1**t) / (v / (1 - beta2**t) + epsilon)

    return walk(gradients, start, beta1, beta2, step)
