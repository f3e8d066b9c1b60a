# npae-exercise: dense v1
def backward(g, x, W):
    """y = x @ W + b. Return dx, dW, db.

    g: (N, out), the gradient of the loss by y
    x: (N, in)
    W: (in, out)
    """
    raise NotImplementedError
