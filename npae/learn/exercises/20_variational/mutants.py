"""Known mistakes of a variational autoencoder where its parts meet; those of the code are in the library."""

import numpy as np

from npae.learn.mutant import mutant


def backpropagated(
    x, W1, b1, W_mu, b_mu, W_var, b_var, W2, b2, W3, b3, eps, beta, *, scale=1.0, on_all=1.0, price=1.0, but=()
):
    """All gradients, right as the defaults are.

    ``scale`` multiplies the gradient by the logits, ``on_all`` what z sends back, ``price`` the KL's part; ``but``
    names what is left out or mixed up.
    """
    a1 = x @ W1 + b1
    h1 = np.maximum(a1, 0)
    mu, log_var = h1 @ W_mu + b_mu, h1 @ W_var + b_var
    z = mu + np.exp(0.5 * log_var) * eps
    a2 = z @ W2 + b2
    h2 = np.maximum(a2, 0)
    dlogits = scale * (1 / (1 + np.exp(-(h2 @ W3 + b3))) - x) / len(x)
    da2 = (dlogits @ W3.T) * ((a2 > 0) | ("a2" in but))
    dz = on_all * (da2 @ W2.T) * ("z" not in but)
    weight = price * beta / len(x)
    dmu = dz + weight * mu
    slope = 1 - np.exp(log_var) if "sign" in but else np.exp(log_var) + ("plus" in but) - ("plus" not in but)
    dlog_var = 0.5 * dz * eps * np.exp(0.5 * log_var) + 0.5 * weight * slope
    if "exchange" in but:
        dmu, dlog_var = dlog_var, dmu
    dh1 = dmu @ W_mu.T * ("mu" not in but) + dlog_var @ W_var.T * ("log_var" not in but)
    da1 = dh1 * ((a1 > 0) | ("a1" in but))
    decoded = mu if "draw" in but else z
    layers = ((x, da1), (h1, dmu), (h1, dlog_var), (decoded, da2), (h2, dlogits))
    return [d for into, g in layers for d in (into.T @ g, g.sum(axis=0))]


@mutant("gradient", "dz without the KL's part", "Every term of the loss sends a gradient back.", name="KL-missing")
def kl_missing(right, *given):
    return right(*given)[0], *backpropagated(*given, price=0.0)


@mutant(
    "gradient",
    "only the KL's part reaches the encoder",
    "z depends on μ and ℓ, so the reconstruction has a gradient by them too.",
    name="KL-only",
)
def kl_only(right, *given):
    return right(*given)[0], *backpropagated(*given, but=("z",))


@mutant("backward", "KL part ½β(1 − e^ℓ)/N", "KL is smallest at σ = 1: above that it rises with ℓ.")
def KL_log_var_sign(right, g, mu, log_var, eps, beta):
    dmu, dlog_var = right(g, mu, log_var, eps, beta)
    return dmu, dlog_var - g[1] * beta / len(mu) * (np.exp(log_var) - 1)


@mutant("backward", "KL part ½β(e^ℓ + 1)/N", "In KL the last ℓ is taken away: at σ = 1 its slope is 0.")
def KL_log_var_plus(right, g, mu, log_var, eps, beta):
    dmu, dlog_var = right(g, mu, log_var, eps, beta)
    return dmu, dlog_var + g[1] * beta / len(mu)


@mutant(
    "gradient", "½β(1 − e^ℓ)/N in dℓ", "KL is smallest at σ = 1: above that it rises with ℓ.", name="KL-log-var-sign"
)
def log_var_sign(right, *given):
    return right(*given)[0], *backpropagated(*given, but=("sign",))


@mutant(
    "gradient",
    "½β(e^ℓ + 1)/N in dℓ",
    "In KL the last ℓ is taken away: at σ = 1 its slope is 0.",
    name="KL-log-var-plus",
)
def log_var_plus(right, *given):
    return right(*given)[0], *backpropagated(*given, but=("plus",))


@mutant(
    "gradient",
    "the KL's part subtracted",
    "The KL term is part of the loss: gradient descent must make it smaller.",
    name="KL-sign",
)
def kl_sign(right, *given):
    return right(*given)[0], *backpropagated(*given, price=-1.0)


@mutant(
    "gradient",
    "KL's part not divided by N",
    "The divergence is averaged over the batch, as the reconstruction is.",
    name="KL-batch-sum",
)
def kl_batch_sum(right, x, *others):
    return right(x, *others)[0], *backpropagated(x, *others, price=len(x))


@mutant(
    "gradient",
    "β times what z sends back",
    "β weights one term of the loss, not the reconstruction.",
    name="β-on-all",
)
def beta_on_all(right, *given):
    return right(*given)[0], *backpropagated(*given, on_all=given[-1])


@mutant(
    "gradient", "dlogits = (p − x)/(N·D)", "Here the loss sums over the pixels of an image; only images are averaged."
)
def pixel_mean(right, x, *others):
    return right(x, *others)[0], *backpropagated(x, *others, scale=1 / x.shape[1])


@mutant("gradient", "dlogits = p − x", "A mean forward is a division backward.")
def no_average(right, x, *others):
    return right(x, *others)[0], *backpropagated(x, *others, scale=len(x))


@mutant("gradient", "dh1 = dmu W_muᵀ", "A layer with two heads hears from both.", name="mean-head-only")
def mean_head_only(right, *given):
    return right(*given)[0], *backpropagated(*given, but=("log_var",))


@mutant("gradient", "dh1 = dlog_var W_varᵀ", "A layer with two heads hears from both.", name="variance-head-only")
def variance_head_only(right, *given):
    return right(*given)[0], *backpropagated(*given, but=("mu",))


@mutant("gradient", "dμ and dℓ exchanged", "Two heads of one shape: each receives its own gradient.")
def heads_swapped(right, *given):
    return right(*given)[0], *backpropagated(*given, but=("exchange",))


@mutant("gradient", "da1 = dh1", "Every ReLU on the way forward is a gate on the way back.")
def encoder_mask_forgotten(right, *given):
    return right(*given)[0], *backpropagated(*given, but=("a1",))


@mutant("gradient", "da2 = dh2", "Every ReLU on the way forward is a gate on the way back.")
def decoder_mask_forgotten(right, *given):
    return right(*given)[0], *backpropagated(*given, but=("a2",))


@mutant("gradient", "dW2 = muᵀ da2", "The decoder was given the code that was drawn, not its mean.")
def mean_decoded(right, *given):
    return right(*given)[0], *backpropagated(*given, but=("draw",))
