"""What else goes wrong with the mean squared error."""

from npae.learn.mutant import mutant


@mutant(
    "backward", "dp = 2(p − t)/n, without g", "A loss can be a part of another one; multiply by what comes from above."
)
def no_upstream(right, g, p, t):
    return right(1.0, p, t)


@mutant("backward", "dp = 2(p − t)/F", "Divide by as many numbers as the mean was taken over.")
def features_only(right, g, p, t):
    return g * 2 * (p - t) / p.shape[1]


@mutant("backward", "dp = (p − t)²/n", "That is the loss of an entry; how fast does it change?")
def loss_itself(right, g, p, t):
    return g * (p - t) ** 2 / p.size
