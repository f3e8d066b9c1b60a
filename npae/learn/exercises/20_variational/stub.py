# npae-exercise: variational v1
import numpy as np


def backward(g, mu, log_var, eps, beta):
    """z = mu + exp(½ log_var) · eps and KL = beta/N · Σ ½ (mu² + exp(log_var) − 1 − log_var).

    g: a pair, the gradients by z (N, Z) and by KL (a number); mu, log_var, eps: (N, Z).
    Return dmu, dlog_var.
    """
    raise NotImplementedError


def activations(x, W1, b1, W_mu, b_mu, W_var, b_var, W2, b2, W3, b3, eps):
    """Forward, given: a1, h1 (N, H), mu, log_var, z (N, Z), a2, h2 (N, H), logits (N, D)."""
    a1 = x @ W1 + b1
    h1 = np.maximum(a1, 0)
    mu, log_var = h1 @ W_mu + b_mu, h1 @ W_var + b_var
    z = mu + np.exp(0.5 * log_var) * eps
    a2 = z @ W2 + b2
    h2 = np.maximum(a2, 0)
    logits = h2 @ W3 + b3
    return a1, h1, mu, log_var, z, a2, h2, logits


def loss_of(x, logits, mu, log_var, beta):
    """The loss, given: cross-entropy summed over an image plus beta times the divergence, averaged over the images."""
    cross_entropy = np.sum(np.maximum(logits, 0) - x * logits + np.log1p(np.exp(-np.abs(logits))))
    divergence = 0.5 * np.sum(mu**2 + np.exp(log_var) - 1 - log_var)
    return (cross_entropy + beta * divergence) / len(x)


def gradient(x, W1, b1, W_mu, b_mu, W_var, b_var, W2, b2, W3, b3, eps, beta):
    """The loss of a variational autoencoder and its gradients.

    x: (N, D) in [0, 1], W1: (D, H), W_mu, W_var: (H, Z), W2: (Z, H), W3: (H, D), each b as wide as its W; eps: (N, Z).
    Return loss, dW1, db1, dW_mu, db_mu, dW_var, db_var, dW2, db2, dW3, db3.
    """
    a1, h1, mu, log_var, z, a2, h2, logits = activations(x, W1, b1, W_mu, b_mu, W_var, b_var, W2, b2, W3, b3, eps)
    loss = loss_of(x, logits, mu, log_var, beta)
    raise NotImplementedError
