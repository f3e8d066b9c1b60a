"""y = x W + b."""


def draw(rng, square=False):
    """All sizes differ, unless ``square``."""
    n, n_in, n_out = rng.permutation([2, 3, 4, 5, 6])[:3]
    if square:
        n_out = n_in
    return {
        "x": rng.standard_normal((n, n_in)),
        "W": rng.standard_normal((n_in, n_out)),
        "b": rng.standard_normal(n_out),
    }


def forward(x, W, b):
    """(N, I), (I, O), (O,) -> (N, O)."""
    return x @ W + b


def backward(g, x, W):
    """dx = g Wᵀ, dW = xᵀ g, db = Σₙ g[n]."""
    return g @ W.T, x.T @ g, g.sum(axis=0)
