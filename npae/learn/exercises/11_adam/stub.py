# npae-exercise: adam v1
import numpy as np


def adam(gradients, start, rate, beta1, beta2, epsilon):
    """θ ← θ − rate·m̂ / (√v̂ + ε), once for each row of gradients; m and v begin at 0, t counts from 1.

    gradients (T, P), start (P,), four numbers. Return θ after each step, (T, P).
    """
    raise NotImplementedError
