"""What goes wrong with batches."""

import numpy as np

from npae.learn.mutant import mutant


@mutant("bias", "db = g[-1]", "`=` in the loop where `+=` is needed.")
def last_row(right, g, x, b):
    return g, g[-1]


@mutant("bias", "db = Σₙ x·g", "How fast a sum rises with one term does not depend on the other.")
def bias_as_gain(right, g, x, b):
    return g, (g * x).sum(axis=0)


@mutant("bias", "dx = g + b", "A gradient is about slopes; a constant that is added has none.")
def adds_bias_again(right, g, x, b):
    return g + b, g.sum(axis=0)


@mutant("gain", "da = Σₙ g", "Each path has a slope of its own.")
def gain_as_bias(right, g, x, a):
    return g * a, g.sum(axis=0)


@mutant("gain", "da = mean(g·x, 0)", "Broadcast forward means sum backward.")
def da_mean(right, g, x, a):
    return g * a, (g * x).mean(axis=0)


@mutant("gain", "da = Σ g · Σ x", "A sum of products is not the product of sums.")
def sums_before_product(right, g, x, a):
    return g * a, g.sum(axis=0) * x.sum(axis=0)


@mutant("gain", "dx = g", "The slope of a product by one factor is the other factor.")
def dx_without_gain(right, g, x, a):
    return g, (g * x).sum(axis=0)


@mutant("gain", "da = g·x, a row for each sample", "One number for each feature: sum where it was repeated.")
def unsummed(right, g, x, a):
    return g * a, g * x


@mutant("combine", "mean of the means", "A sample counts the same, whichever shard it is in.")
def mean_of_means(right, means, sizes):
    return means.mean(axis=0)


@mutant("combine", "sum of the means", "A mean of means lies between them.")
def sum_of_means(right, means, sizes):
    return means.sum(axis=0)


@mutant("combine", "Σ size·mean", "A mean divides by how many samples there are.")
def not_divided(right, means, sizes):
    return sizes @ means


@mutant("combine", "Σ size·mean / K", "Divide by the number of samples, not of shards.")
def divided_by_shards(right, means, sizes):
    return sizes @ means / len(sizes)


@mutant("combine", "weights 1/size", "The more samples a shard has, the more it counts.")
def weights_upside_down(right, means, sizes):
    weights = 1 / np.asarray(sizes)
    return weights @ means / weights.sum()
