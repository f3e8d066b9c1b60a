"""The variational code with its price; and a variational autoencoder."""

import numpy as np


def code(mu, log_var, eps, beta):
    """z, and KL = β/N Σ ½ (μ² + e^ℓ − 1 − ℓ)."""
    divergence = 0.5 * np.sum(mu**2 + np.exp(log_var) - 1 - log_var)
    return mu + np.exp(0.5 * log_var) * eps, beta * divergence / len(mu)


def backward(g, mu, log_var, eps, beta):
    """dμ and dℓ: what z sends back, and what KL sends back."""
    dz, dKL = g
    price = dKL * beta / len(mu)
    dmu = dz + price * mu
    dlog_var = 0.5 * dz * eps * np.exp(0.5 * log_var) + 0.5 * price * (np.exp(log_var) - 1)
    return dmu, dlog_var


def activations(x, W1, b1, W_mu, b_mu, W_var, b_var, W2, b2, W3, b3, eps):
    """a1, h1 (N, H), mu, log_var, z (N, Z), a2, h2 (N, H), logits (N, D)."""
    a1 = x @ W1 + b1
    h1 = np.maximum(a1, 0)
    mu, log_var = h1 @ W_mu + b_mu, h1 @ W_var + b_var
    z = mu + np.exp(0.5 * log_var) * eps
    a2 = z @ W2 + b2
    h2 = np.maximum(a2, 0)
    logits = h2 @ W3 + b3
    return a1, h1, mu, log_var, z, a2, h2, logits


def loss_of(x, logits, mu, log_var, beta):
    """Cross-entropy summed over an image plus β times the divergence, averaged over the images."""
    cross_entropy = np.sum(np.maximum(logits, 0) - x * logits + np.log1p(np.exp(-np.abs(logits))))
    divergence = 0.5 * np.sum(mu**2 + np.exp(log_var) - 1 - log_var)
    return (cross_entropy + beta * divergence) / len(x)


def sigmoid(z):
    """1 / (1 + e⁻ᶻ), without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * z))


def gradient(x, W1, b1, W_mu, b_mu, W_var, b_var, W2, b2, W3, b3, eps, beta):
    """The loss and the gradients of the ten parameters."""
    a1, h1, mu, log_var, z, a2, h2, logits = activations(x, W1, b1, W_mu, b_mu, W_var, b_var, W2, b2, W3, b3, eps)
    loss = loss_of(x, logits, mu, log_var, beta)
    dlogits = (sigmoid(logits) - x) / len(x)  # (N, D)
    da2 = (dlogits @ W3.T) * (a2 > 0)  # (N, H)
    dmu, dlog_var = backward((da2 @ W2.T, 1.0), mu, log_var, eps, beta)  # (N, Z)
    da1 = (dmu @ W_mu.T + dlog_var @ W_var.T) * (a1 > 0)  # (N, H)
    encoder = (x.T @ da1, da1.sum(axis=0))
    heads = (h1.T @ dmu, dmu.sum(axis=0), h1.T @ dlog_var, dlog_var.sum(axis=0))
    decoder = (z.T @ da2, da2.sum(axis=0), h2.T @ dlogits, dlogits.sum(axis=0))
    return loss, *encoder, *heads, *decoder


def forward(x, W1, b1, W_mu, b_mu, W_var, b_var, W2, b2, W3, b3, eps, beta):
    """The loss."""
    _, _, mu, log_var, *_, logits = activations(x, W1, b1, W_mu, b_mu, W_var, b_var, W2, b2, W3, b3, eps)
    return loss_of(x, logits, mu, log_var, beta)


def draw_code(rng):
    """Three arrays of one shape, whose two sizes differ, and a weight of KL that is not 1."""
    mu, log_var, eps = rng.standard_normal((3, *rng.permutation([3, 4, 5, 6])[:2]))
    return {"mu": mu, "log_var": log_var, "eps": eps, "beta": rng.uniform(1.5, 3)}


def draw(rng):
    """All sizes differ, no unit is at its kink, and each layer has some that are neither always on nor always off."""
    n, n_pixels, n_hidden, n_code = rng.permutation([3, 4, 5, 6])
    while True:
        parameters = {
            "W1": rng.standard_normal((n_pixels, n_hidden)),
            "b1": 0.5 * rng.standard_normal(n_hidden),
            "W_mu": 0.5 * rng.standard_normal((n_hidden, n_code)),
            "b_mu": rng.standard_normal(n_code),
            "W_var": 0.3 * rng.standard_normal((n_hidden, n_code)),
            "b_var": rng.standard_normal(n_code),
            "W2": 0.7 * rng.standard_normal((n_code, n_hidden)),
            "b2": rng.standard_normal(n_hidden),
            "W3": rng.standard_normal((n_hidden, n_pixels)),
            "b3": rng.standard_normal(n_pixels),
        }
        x, eps = rng.uniform(0.05, 0.95, (n, n_pixels)), rng.standard_normal((n, n_code))
        a1, *_, a2, _, _ = activations(x, **parameters, eps=eps)
        a = np.stack([a1, a2])  # (2, N, H)
        on, off = (a > 0).any(axis=1), (a < 0).any(axis=1)
        if np.abs(a).min() > 0.02 and (on & off).any(axis=1).all():
            return {"x": x, **parameters, "eps": eps, "beta": rng.uniform(1.5, 3)}


def initial(rng, images):
    """Random weights that keep the size of what passes, and biases that let the units begin alive."""
    n_pixels, n_hidden, n_code = images.shape[1], 128, 16

    def weights(n_in, n_out):
        return rng.standard_normal((n_in, n_out)) * np.sqrt(1 / n_in)

    return {
        "W1": weights(n_pixels, n_hidden),
        "b1": np.full(n_hidden, 0.5),
        "W_mu": weights(n_hidden, n_code),
        "b_mu": np.zeros(n_code),
        "W_var": 0.1 * weights(n_hidden, n_code),
        "b_var": np.zeros(n_code),
        "W2": weights(n_code, n_hidden),
        "b2": np.zeros(n_hidden),
        "W3": weights(n_hidden, n_pixels),
        "b3": np.zeros(n_pixels),
    }


def noise(rng, x, parameters):
    """The code's draw, and the weight of KL."""
    return {"eps": rng.standard_normal((len(x), len(parameters["b_mu"]))), "beta": 1.0}


def reconstruct(x, parameters):
    """p, the image that the network makes of the mean code of x; nothing is drawn any more."""
    return sigmoid(activations(x, **parameters, eps=0.0)[-1])
