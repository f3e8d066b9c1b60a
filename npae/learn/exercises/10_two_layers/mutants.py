"""What goes wrong where layers are put together, and with the price of weights."""

import numpy as np

from npae.learn.mutant import mutant


def first_layer(da, x, W1):
    """dx, dW1, db1 from ∂L/∂a."""
    return da @ W1.T, x.T @ da, da.sum(axis=0)


@mutant("backward", "∂L/∂a = ∂L/∂h", "Every step of the forward pass has one in the backward pass.")
def no_mask(right, g, x, W1, b1, W2):
    return *first_layer(g @ W2.T, x, W1), *right(g, x, W1, b1, W2)[3:]


@mutant("backward", "∂L/∂a = ∂L/∂h·[∂L/∂h > 0]", "What went in forward opens the gate, not the gradient that arrives.")
def mask_on_gradient(right, g, x, W1, b1, W2):
    dh = g @ W2.T
    return *first_layer(dh * (dh > 0), x, W1), *right(g, x, W1, b1, W2)[3:]


@mutant("backward", "the gate of x W1, without b1", "The gate looks at all that went into the ReLU.")
def mask_without_bias(right, g, x, W1, b1, W2):
    mask = x @ W1 > 0
    return *first_layer((g @ W2.T) * mask, x, W1), *right(g, x, W1, b1, W2)[3:]


@mutant("backward", "dW2 = aᵀ g", "A layer's weights meet what went into that layer.")
def dW2_before_relu(right, g, x, W1, b1, W2):
    dx, dW1, db1, _, db2 = right(g, x, W1, b1, W2)
    return dx, dW1, db1, (x @ W1 + b1).T @ g, db2


@mutant("backward", "db1 = Σₙ ∂L/∂h", "The bias stands before the ReLU, and so its gradient comes after the gate.")
def db1_before_gate(right, g, x, W1, b1, W2):
    dx, dW1, _, dW2, db2 = right(g, x, W1, b1, W2)
    return dx, dW1, (g @ W2.T).sum(axis=0), dW2, db2


@mutant("backward", "∂L/∂a = ∂L/∂h·h", "The slope of a linear function does not depend on x.")
def times_output(right, g, x, W1, b1, W2):
    h = np.maximum(x @ W1 + b1, 0)
    return *first_layer((g @ W2.T) * h, x, W1), *right(g, x, W1, b1, W2)[3:]


@mutant("backward", "db1, db2 as means", "Broadcast forward means sum backward.")
def db_mean(right, g, x, W1, b1, W2):
    dx, dW1, db1, dW2, db2 = right(g, x, W1, b1, W2)
    return dx, dW1, db1 / len(x), dW2, db2 / len(x)


@mutant("backward", "db1 = mean(∂L/∂a, 0)", "Broadcast forward means sum backward.")
def db1_mean(right, g, x, W1, b1, W2):
    dx, dW1, db1, dW2, db2 = right(g, x, W1, b1, W2)
    return dx, dW1, db1 / len(x), dW2, db2


@mutant("backward", "db2 = mean(g, 0)", "Broadcast forward means sum backward.")
def db2_mean(right, g, x, W1, b1, W2):
    dx, dW1, db1, dW2, db2 = right(g, x, W1, b1, W2)
    return dx, dW1, db1, dW2, db2 / len(x)


@mutant("gradient", "dW + 2λW", "The ½ is there to cancel the 2.")
def doubled(right, x, t, W1, b1, W2, b2, strength):
    y, dW1, db1, dW2, db2 = right(x, t, W1, b1, W2, b2, strength)
    return y, dW1 + strength * W1, db1, dW2 + strength * W2, db2


@mutant("gradient", "dW + λW/N", "The penalty is not a mean over the batch: it counts once.", name="over-N")
def over_samples(right, x, t, W1, b1, W2, b2, strength):
    y, dW1, db1, dW2, db2 = right(x, t, W1, b1, W2, b2, strength)
    less = strength * (1 / len(x) - 1)
    return y, dW1 + less * W1, db1, dW2 + less * W2, db2


@mutant("gradient", "dW = λW", "The penalty's gradient is added to that of the data.")
def overwrites(right, x, t, W1, b1, W2, b2, strength):
    y, _, db1, _, db2 = right(x, t, W1, b1, W2, b2, strength)
    return y, strength * W1, db1, strength * W2, db2


@mutant("gradient", "dW without λW", "What is added to the loss has a gradient too.")
def price_without_gradient(right, x, t, W1, b1, W2, b2, strength):
    y, dW1, db1, dW2, db2 = right(x, t, W1, b1, W2, b2, strength)
    return y, dW1 - strength * W1, db1, dW2 - strength * W2, db2


@mutant("gradient", "dW1 without λ W1", "What is added to the loss has a gradient too.", name="W1-unpriced")
def first_unpriced(right, x, t, W1, b1, W2, b2, strength):
    y, dW1, db1, dW2, db2 = right(x, t, W1, b1, W2, b2, strength)
    return y, dW1 - strength * W1, db1, dW2, db2


@mutant("gradient", "dW2 without λ W2", "What is added to the loss has a gradient too.", name="W2-unpriced")
def second_unpriced(right, x, t, W1, b1, W2, b2, strength):
    y, dW1, db1, dW2, db2 = right(x, t, W1, b1, W2, b2, strength)
    return y, dW1, db1, dW2 - strength * W2, db2


@mutant("gradient", "dW − λW", "A price keeps weights small; which way must a step against the gradient go?")
def price_sign(right, x, t, W1, b1, W2, b2, strength):
    y, dW1, db1, dW2, db2 = right(x, t, W1, b1, W2, b2, strength)
    return y, dW1 - 2 * strength * W1, db1, dW2 - 2 * strength * W2, db2


@mutant("gradient", "db + λb", "Look which numbers stand in the price.")
def bias_decayed(right, x, t, W1, b1, W2, b2, strength):
    y, dW1, db1, dW2, db2 = right(x, t, W1, b1, W2, b2, strength)
    return y, dW1, db1 + strength * b1, dW2, db2 + strength * b2


@mutant("gradient", "L without the price", "What is differentiated is the whole loss.")
def loss_without_price(right, x, t, W1, b1, W2, b2, strength):
    y, *others = right(x, t, W1, b1, W2, b2, strength)
    return y - 0.5 * strength * (np.sum(W1**2) + np.sum(W2**2)), *others


@mutant("gradient", "∂L/∂p = 2(p − t)/N", "Divide by as many numbers as the mean was taken over.")
def batch_only(right, x, t, W1, b1, W2, b2, strength):
    y, dW1, db1, dW2, db2 = right(x, t, W1, b1, W2, b2, strength)
    f = t.shape[1]
    return y, f * (dW1 - strength * W1) + strength * W1, f * db1, f * (dW2 - strength * W2) + strength * W2, f * db2
