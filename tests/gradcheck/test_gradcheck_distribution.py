"""check_distribution: wrong sampling that no gradient check detects is found, right models pass."""

import numpy as np
import pytest

from npae import Autoencoder
from npae.gradcheck import Verdict, check_distribution, check_model
from npae.kernels import reference_kernels
from npae.layers import Dense, Reparameterization, Tanh

PLAIN = reference_kernels()
BATCH = np.random.default_rng(0).random((3, 6))


class WideDraws(Reparameterization):
    """σ = exp(log σ²), with a backward that is consistent with it and a KL term that is not about it."""

    def forward(self, x):
        super().forward(x)
        if not self.run.training:
            return self.mu
        self.z[...] = self.mu + np.exp(self.log_var) * self.eps
        return self.z

    def backward(self, dy):
        beta = self.effective_beta * self.run.sample_weight
        self.dmu[...] = dy + beta * self.mu
        self.dlog_var[...] = beta * 0.5 * (self.sigma**2 - 1) + dy * np.exp(self.log_var) * self.eps
        dx = self.mu_head.backward(self.dmu)
        dx += self.log_var_head.backward(self.dlog_var)
        return dx


class ShiftedDraws(Reparameterization):
    def forward(self, x):
        z = super().forward(x)
        return z + 0.2 if self.run.training else z


class HalvedKL(Reparameterization):
    def forward(self, x):
        z = super().forward(x)
        self.penalty *= 0.5
        return z


def network(code):
    net = Autoencoder([Dense(5), Tanh()], [Dense(6)], code=[code], loss="mse").build((6,), seed=1)
    net.theta += np.random.default_rng(0).normal(0, 0.3, net.theta.size).astype("float32")
    return net


def failing(code):
    return [m.name for m in check_distribution(network(code), BATCH, kernels=PLAIN).invariants if not m.holds]


@pytest.mark.parametrize("beta", [1.0, 2.5])
def test_the_draws_of_a_right_model_pass(beta):
    report = check_distribution(network(Reparameterization(2, beta=beta)), BATCH, kernels=PLAIN)
    assert report.verdict is Verdict.PASS, str(report)
    assert len(report.invariants) == 4


def test_a_wrong_sigma_passes_the_gradient_check_and_fails_here():
    net = network(WideDraws(2))
    assert check_model(net, BATCH, kernels=PLAIN).verdict is Verdict.PASS
    report = check_distribution(net, BATCH, kernels=PLAIN)
    assert report.verdict is Verdict.WRONG
    assert "the variance of the draws is exp(log σ²): does not hold" in str(report)


def test_a_shifted_mean_and_a_wrong_divergence_fail():
    assert "the mean of the draws is μ" in failing(ShiftedDraws(2))
    assert "the KL term is that of the draws" in failing(HalvedKL(2))


def test_an_elbo_above_its_bound_fails():
    class NegativeKL(Reparameterization):
        def forward(self, x):
            z = super().forward(x)
            self.penalty -= 20
            return z

    assert "the ELBO is not above its importance-weighted bound" in failing(NegativeKL(2))


def test_a_model_without_a_distribution_is_refused():
    with pytest.raises(ValueError, match="has no Reparameterization"):
        check_distribution(Autoencoder([Dense(3)], [Dense(6)]), BATCH)
    with pytest.raises(ValueError, match="draws is 10"):
        check_distribution(network(Reparameterization(2)), BATCH, draws=10)
