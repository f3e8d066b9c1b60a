# npae-exercise: hunt_dense v1
def backward(g, x, W):
    """y = x @ W + b, with x: (N, in), W: (in, out) and g, the gradient by y: (N, out). Return dx, dW, db."""
    n_samples = len(x)
    dx = g @ W.T
    dW = x.T @ g / n_samples
    db = g.sum(axis=0)
    return dx, dW, db
