"""What else goes wrong with the sigmoid and tanh."""

import numpy as np

from npae.learn.mutant import mutant


@mutant("sigmoid_backward", "dx = g·(1 − y²)", "That slope belongs to a function from −1 to 1.", name="as-tanh")
def sigmoid_as_tanh(right, g, x, y):
    return g * (1 - y**2)


@mutant("sigmoid_backward", "dx = g·y", "The slope is small at both ends.")
def no_complement(right, g, x, y):
    return g * y


@mutant("tanh_backward", "dx = 1 − y²", "The chain rule multiplies by the gradient from above.", name="no-upstream")
def tanh_no_upstream(right, g, x, y):
    return 1 - y**2


@mutant("tanh_backward", "dx = g(1 − tanh²y)", "What was stored is already the tanh's value.")
def double_tanh(right, g, x, y):
    return g * (1 - np.tanh(y) ** 2)


@mutant("tanh_backward", "dx = g(1 − x²)", "1 − y² is written in terms of the output.", name="at-x")
def tanh_at_x(right, g, x, y):
    return g * (1 - x**2)
