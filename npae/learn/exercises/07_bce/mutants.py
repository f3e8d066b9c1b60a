"""What else goes wrong with the cross-entropy."""

import numpy as np

from npae.learn.mutant import mutant


@mutant(
    "on_probabilities", "dp = (t − p)/(p(1 − p))/n", "Where the prediction is too high, raising it raises the loss."
)
def sign(right, g, p, t):
    return -right(g, p, t)


@mutant("on_probabilities", "dp = (p − t)/(p(1 − p))", "A mean forward is a division backward.")
def no_average(right, g, p, t):
    return right(g, p, t) * p.size


@mutant("on_probabilities", "dp = (p − t)/(p(1 − p))/N", "Divide by as many numbers as the mean was taken over.")
def batch_only(right, g, p, t):
    return right(g, p, t) * p.shape[1]


@mutant(
    "on_probabilities",
    "p clipped at 1e-7",
    "Near 0 and 1 a prediction has a slope too: leave p as it is.",
    needs="edge",
)
def clipped(right, g, p, t):
    return right(g, np.clip(p, 1e-7, 1 - 1e-7), t)


@mutant("on_probabilities", "dp without g", "A loss can be a part of another one; multiply by what comes from above.")
def no_upstream(right, g, p, t):
    return right(1.0, p, t)


@mutant(
    "on_logits",
    "dz = (t − σ(z))/n",
    "Where the prediction is too high, raising the logit raises the loss.",
    name="sign",
)
def logits_sign(right, g, z, t):
    return -right(g, z, t)


@mutant("on_logits", "dz = σ(z) − t", "A mean forward is a division backward.", name="no-average")
def logits_no_average(right, g, z, t):
    return right(g, z, t) * z.size


@mutant("on_logits", "dz = (σ(z) − t)/N", "Divide by as many numbers as the mean was taken over.", name="batch-only")
def logits_batch_only(right, g, z, t):
    return right(g, z, t) * z.shape[1]


@mutant(
    "on_logits",
    "dz without g",
    "A loss can be a part of another one; multiply by what comes from above.",
    name="no-upstream",
)
def logits_no_upstream(right, g, z, t):
    return right(1.0, z, t)


@mutant("on_logits", "p = σ(−z)", "The larger the logit, the larger the probability.")
def falling_sigmoid(right, g, z, t):
    return g * (1 / (1 + np.exp(z)) - t) / z.size


@mutant(
    "on_logits",
    "dz = dp·p(1 − p)",
    "What cancels on paper need not cancel in numbers: at the end of the scale 1 − p is 0.",
)
def by_way_of_dp(right, g, z, t):
    p = 1 / (1 + np.exp(-z))
    return g * (p - t) / (p * (1 - p)) / z.size * p * (1 - p)
