# npae-exercise: hunt_variational v1
import numpy as np


def backward(g, mu, log_var, eps, beta):
    """z = mu + exp(½ log_var) · eps and KL = beta/N · Σ ½ (mu² + exp(log_var) − 1 − log_var).

    g: a pair, the gradients by z (N, Z) and by KL (a number); mu, log_var, eps: (N, Z).
    Return dmu, dlog_var.
    """
    dz, dKL = g
    price = dKL * beta / len(mu)
    sigma = np.exp(0.5 * log_var)
    dmu = dz + price * mu
    dlog_var = 0.5 * dz * eps * sigma + 0.5 * price * sigma**2
    return dmu, dlog_var
