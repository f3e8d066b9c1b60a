"""What else goes wrong with a ReLU."""

from npae.learn.mutant import mutant


@mutant("backward", "dx = g·[x < 0]", "The gate is open where the output moves.")
def gate_reversed(right, g, x):
    return g * (x < 0)


@mutant("backward", "dx = max(g, 0)·x", "The slope of a linear function does not depend on x.")
def relu_of_g_times_x(right, g, x):
    return g.clip(min=0) * x


@mutant("backward", "dx = g·sign(x)", "A slope of −1 would mean that the output rises where the input falls.")
def sign_of_x(right, g, x):
    return g * (x > 0) - g * (x < 0)
