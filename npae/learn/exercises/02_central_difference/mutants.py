"""What goes wrong when a slope is measured."""

import numpy as np

from npae.learn.mutant import mutant


def curve(x, a):
    return a * x**3 + np.sin(x)


def weighted(G, X, A):
    """Σ G·Y."""
    return np.sum(G * np.sin(X @ A))


def moved(X, entry, step):
    """X with one entry moved."""
    X = X.copy()
    X[entry] += step
    return X


def by_entry(X, difference):
    """An array of X's shape from ``difference(entry)``."""
    dX = np.empty_like(X)
    for entry in np.ndindex(X.shape):
        dX[entry] = difference(entry)
    return dX


@mutant("slope", "(f(x + h) − f(x)) / h", "A curve bends; go to both sides, and the bends cancel.")
def one_sided(right, x, a, h):
    return (curve(x + h, a) - curve(x, a)) / h


@mutant("slope", "(f(x) − f(x − h)) / h", "A curve bends; go to both sides, and the bends cancel.")
def looks_back(right, x, a, h):
    return (curve(x, a) - curve(x - h, a)) / h


@mutant("slope", "(f(x + h) − f(x − h)) / h", "Divide by the whole distance from one point to the other.")
def divides_by_h(right, x, a, h):
    return 2 * right(x, a, h)


@mutant("slope", "f(x + h) − f(x − h)", "A slope is a rise for each unit of way.")
def undivided(right, x, a, h):
    return 2 * h * right(x, a, h)


@mutant("slope", "(f(x + h/2) − f(x − h/2)) / h", "h is the step to each side, not the whole distance.")
def half_step(right, x, a, h):
    return right(x, a, h / 2)


@mutant("slope", "(f(x − h) − f(x + h)) / 2h", "A function that rises has a slope above zero.")
def sign(right, x, a, h):
    return -right(x, a, h)


@mutant(
    "slope",
    "3a·x² + cos x",
    "Measured with the h that is given, a slope is not that of calculus or of a tiny h.",
)
def calculus(right, x, a, h):
    return 3 * a * x**2 + np.cos(x)


@mutant("gradient", "all entries moved at once", "One entry moves, the others stand still.")
def all_at_once(right, G, X, A, h):
    return np.full(X.shape, (weighted(G, X + h, A) - weighted(G, X - h, A)) / (2 * h))


@mutant("gradient", "entries stay where the last step left them", "Put an entry back before you move the next one.")
def not_put_back(right, G, X, A, h):
    X = X.copy()

    def difference(entry):
        X[entry] += h
        ahead = weighted(G, X, A)
        X[entry] -= 2 * h
        return (ahead - weighted(G, X, A)) / (2 * h)

    return by_entry(X, difference)


@mutant("gradient", "slopes of Σ Y, without G", "The loss does not think the same of every output.")
def unweighted(right, G, X, A, h):
    return right(np.ones_like(G), X, A, h)


@mutant("gradient", "slopes of the mean of G·Y", "The loss rises by the sum of what each output adds to it.")
def averaged(right, G, X, A, h):
    return right(G, X, A, h) / G.size


@mutant("gradient", "(F(X + h) − F(X)) / h", "A curve bends; go to both sides, and the bends cancel.", name="one-sided")
def one_sided_gradient(right, G, X, A, h):
    return by_entry(X, lambda entry: (weighted(G, moved(X, entry, h), A) - weighted(G, X, A)) / h)


@mutant(
    "gradient",
    "(F(X + h) − F(X − h)) / h",
    "Divide by the whole distance from one point to the other.",
    name="divides-by-h",
)
def gradient_divided_by_h(right, G, X, A, h):
    return 2 * right(G, X, A, h)


@mutant(
    "gradient",
    "(G·cos(X A)) Aᵀ",
    "Measured with the h that is given, a slope is not that of calculus or of a tiny h.",
    name="calculus",
)
def gradient_by_calculus(right, G, X, A, h):
    return (G * np.cos(X @ A)) @ A.T
