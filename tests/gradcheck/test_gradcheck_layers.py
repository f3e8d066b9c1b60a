"""The gradient checker on layers, models and optimizers: npae's pass, and ones with mistakes fail."""

import numpy as np
import pytest

import npae
from npae import Autoencoder
from npae.gradcheck import Verdict, check_layer, check_model, check_optimizer
from npae.gradcheck.bugs import bugs_of
from npae.gradcheck.bugs.inject import plant_optimizer
from npae.gradcheck.engine.invariants import inputs_unchanged
from npae.gradcheck.engine.subject import Subject
from npae.gradcheck.selftest.__main__ import main as selftest
from npae.gradcheck.selftest.__main__ import report_on_right
from npae.kernels import reference_kernels
from npae.layers import Conv2D, Dense, Dropout, MaxPool2D, ReLU, Reparameterization, Sigmoid, TiedDense
from npae.network import recipes
from npae.training import optimizers

PLAIN = reference_kernels()


class Scale:
    """A layer that is derived from nothing: y = s · x."""

    def plan(self, input_shape, arena):
        arena.parameter(self, "s", input_shape, initializer="lecun_uniform")
        return input_shape

    def forward(self, x):
        self.x = x
        return x * self.s

    def backward(self, dy):
        self.ds[...] = (self.x * dy).sum(axis=0)
        return dy * self.s


class AveragedBias(Dense):
    def backward(self, dy):
        super().backward(dy)
        self.db /= len(dy)
        return self.dx


class NoMask(ReLU):
    def backward(self, dy):
        return dy


class WrongSample(ReLU):
    """Right in float64 and sums, but each sample receives its neighbour's gradient."""

    def backward(self, dy):
        super().backward(dy)
        return np.roll(self.dx, 1, axis=0)


class FirstBatch(ReLU):
    """Keeps the mask of the first batch."""

    mask = None

    def backward(self, dy):
        if self.mask is None or self.mask.shape != self.y.shape:
            self.mask = self.y > 0
        return dy * self.mask


class EndsAtEight(Dense):
    """Right for eight samples at most: of more, the others are forgotten in dW."""

    def backward(self, dy):
        super().backward(dy)
        self.dW[...] = self.x[:8].T @ dy[:8]
        return self.dx


class RaisesAboveEight(ReLU):
    def backward(self, dy):
        if len(dy) > 8:
            raise IndexError("no room")
        return super().backward(dy)


class Imprecise(Dense):
    """Right in float64 only."""

    def backward(self, dy):
        super().backward(dy)
        if self.dx.dtype == np.float32:
            self.dx *= 1.001
        return self.dx


class FreshMask(Dropout):
    def backward(self, dy):
        return dy * (np.random.default_rng().random(dy.shape) >= self.level) / (1 - self.level)


class LogSigmaConfusion(Reparameterization):
    def backward(self, dy):
        sigma, self.sigma = self.sigma, self.sigma.copy()
        beta = self.effective_beta * self.run.sample_weight
        self.dmu[...] = dy + beta * self.mu
        self.dlog_var[...] = beta * (sigma**4 - 1) + dy * (0.5 * sigma * self.eps)
        dx = self.mu_head.backward(self.dmu)
        dx += self.log_var_head.backward(self.dlog_var)
        return dx


class AllWinners(MaxPool2D):
    """All winners of a tie receive the whole gradient."""

    def forward(self, x):
        self.x = x
        return super().forward(x)

    def backward(self, dy):
        self.dx[...] = 0
        for i in range(dy.shape[1]):
            for j in range(dy.shape[2]):
                rows, columns = slice(2 * i, 2 * i + 2), slice(2 * j, 2 * j + 2)
                cells = self.x[:, rows, columns]
                best = cells.max(axis=(1, 2), keepdims=True)
                self.dx[:, rows, columns] += dy[:, i, j][:, None, None] * (cells == best)
        return self.dx


def test_a_users_layer_needs_no_registration():
    report = check_layer(Scale(), (4,))
    assert report.verdict is Verdict.PASS, str(report)
    assert [block.gradient for block in report.blocks] == ["dx", "ds"]


@pytest.mark.parametrize(
    ("layer", "shape", "block", "name"),
    [
        (AveragedBias(5), (4,), "db", "db-mean"),
        (NoMask(), (4, 3), "dx", "no-mask"),
        (LogSigmaConfusion(2, beta=3.0), (4,), "log_var.dW", "logσ-confusion"),
    ],
)
def test_a_wrong_layer_is_caught_and_the_mistake_named(layer, shape, block, name):
    for mode in ("full", "fast"):
        report = check_layer(layer, shape, kernels=PLAIN, mode=mode)
        assert report[block].verdict is Verdict.WRONG
        assert [n.bug for n in report.names] == [name], str(report)


def test_a_gradient_that_is_drawn_anew_is_reported_and_named():
    report = check_layer(FreshMask(0.4), (5,), kernels=PLAIN)
    assert report.verdict is Verdict.WRONG
    assert "backward repeats: does not hold" in str(report)
    assert [name.bug for name in report.names] == ["fresh-mask"]


@pytest.mark.parametrize(
    ("layer", "invariant"),
    [
        (WrongSample(), "samples are independent"),
        (FirstBatch(), "nothing stale"),
        (Imprecise(3), "float32 agrees"),
    ],
)
def test_invariants_that_need_no_step(layer, invariant):
    report = check_layer(layer, (5,), kernels=PLAIN)
    assert invariant in [m.name for m in report.invariants if not m.holds], str(report)
    assert report.verdict is Verdict.WRONG


def test_the_layer_that_is_given_stays_as_it_is():
    layer = Dense(3).build((4,), seed=1)
    before = layer.W.copy()
    report = check_layer(layer, (4,), kernels=PLAIN)
    assert report.passed
    assert layer.W.dtype == np.float32
    np.testing.assert_array_equal(layer.W, before)


def test_relu_at_exactly_zero_is_a_kink_and_no_mistake():
    x = np.random.default_rng(0).normal(size=(3, 6))
    x[:, 2] = 0.0
    for mode in ("full", "fast"):
        assert check_layer(ReLU(), (6,), x=x, mode=mode, kernels=PLAIN).verdict is Verdict.KINK


def test_a_pooling_tie_is_a_kink_and_a_wrong_subgradient_there_is_caught():
    x = np.round(2 * np.random.default_rng(0).normal(size=(3, 4, 6, 2)))
    assert check_layer(MaxPool2D(2), (4, 6, 2), x=x, kernels=PLAIN).verdict is Verdict.KINK
    report = check_layer(AllWinners(2), (4, 6, 2), x=x, kernels=PLAIN)
    assert report.verdict is Verdict.WRONG
    assert [name.bug for name in report.names] == ["ties-all"]


def test_a_step_that_crosses_a_kink_near_by_is_no_evidence():
    x = np.random.default_rng(0).normal(size=(3, 6))
    x[:, 2] = [3e-6, -1e-6, 1e-8]
    assert check_layer(ReLU(), (6,), x=x, kernels=PLAIN).verdict is Verdict.PASS


def test_fast_mode_finds_one_wrong_entry_of_many():
    class OneWrong(Dense):
        def backward(self, dy):
            super().backward(dy)
            self.dW[57, 21] *= 1.5
            return self.dx

    report = check_layer(OneWrong(40), (100,), mode="fast", kernels=PLAIN)
    assert report["dW"].verdict is Verdict.WRONG
    assert report["dW"].index == (57, 21)
    assert report["dW"].checked < 50
    assert report["dx"].verdict is report["db"].verdict is Verdict.PASS


def test_full_mode_finds_a_thousandth_in_one_entry_of_five_thousand():
    class AThousandth(Dense):
        def backward(self, dy):
            super().backward(dy)
            self.dW[57, 21] *= 1.001
            return self.dx

    report = check_layer(AThousandth(50), (100,), kernels=PLAIN)
    assert report["dW"].size == 5000
    assert report["dW"].verdict is Verdict.WRONG
    assert report["dW"].index == (57, 21)


def test_large_inputs_are_seen_as_well_as_small_ones():
    x = 1e6 * np.random.default_rng(0).normal(size=(3, 4))
    assert check_layer(NoMask(), (4,), x=x, kernels=PLAIN).verdict is Verdict.WRONG
    assert check_layer(Dense(5), (4,), x=x, kernels=PLAIN)["dW"].verdict is Verdict.PASS


def test_a_budget_says_how_much_was_looked_at():
    report = check_layer(Conv2D(8), (20, 20, 8), budget_s=0.2, kernels=PLAIN)
    assert report.verdict is Verdict.PASS
    assert report["dx"].checked < report["dx"].size
    assert f"{report['dx'].checked} of {report['dx'].size} + 4 directions" in str(report)


@pytest.mark.parametrize("numbers", [range(i, 200, 10) for i in range(10)], ids=lambda r: f"from-{r.start}")
def test_no_false_alarm_in_two_hundred_right_configurations(numbers):
    for number in numbers:
        report = report_on_right(number)
        assert report.verdict is Verdict.PASS, f"{number}\n{report}"


def small(name, **options):
    return recipes.RECIPES[name]((6,), code_size=3, **options)


BATCH = np.random.default_rng(0).random((3, 6))


def test_a_model_is_checked_at_its_own_parameters_and_stays_as_it_is():
    net = small("denoising", hidden=(5,), noise="masking").build((6,), seed=2)
    theta, step = net.theta.copy(), net.run.step
    report = check_model(net, BATCH, kernels=PLAIN)
    assert report.verdict is Verdict.PASS, str(report)
    assert {block.name for block in report.blocks} == set(net.arena.parameter_shapes())
    assert "noise is drawn anew" in [invariant.name for invariant in report.invariants]
    np.testing.assert_array_equal(net.theta, theta)
    assert net.run.step == step


def test_a_fitted_estimator_is_checked_too():
    model = npae.VanillaAutoencoder(code_size=3, epochs=1, batch_size=5)
    model.fit(np.random.default_rng(0).random((20, 6)))
    assert check_model(model, BATCH, kernels=PLAIN).passed


@pytest.mark.parametrize("mode", ["full", "fast"])
def test_a_wrong_layer_of_a_model_is_found_and_named(mode):
    net = Autoencoder([Dense(5), NoMask(), Dense(3)], [Dense(6)], loss="mse")
    report = check_model(net, BATCH, mode=mode, kernels=PLAIN)
    assert report.verdict is Verdict.WRONG
    assert report["encoder.0.dW"].verdict is Verdict.WRONG
    assert report["decoder.0.dW"].verdict is Verdict.PASS
    assert [part.subject for part in report.parts] == ["encoder.1: NoMask()"]
    assert [name.bug for name in report.names] == ["no-mask"]


def test_a_forgotten_share_of_tied_weights_is_named():
    class Forgetful(TiedDense):
        def backward(self, dy):
            super().backward(dy)
            self.partner.tied_dW[...] = 0
            return self.dx

    net = Autoencoder([Dense(3)], [Forgetful("encoder.0")], loss="mse")
    report = check_model(net, BATCH, kernels=PLAIN)
    assert report["encoder.0.dW"].verdict is Verdict.WRONG
    assert [name.bug for name in report.names] == ["encoder-only"]


@pytest.mark.parametrize("mode", ["full", "fast"])
def test_a_mistake_that_begins_with_the_ninth_sample_is_caught(mode):
    report = check_layer(EndsAtEight(5), (4,), mode=mode, kernels=PLAIN)
    assert report.verdict is Verdict.WRONG
    assert "larger batches: does not hold; with 9 samples dW is wrong" in str(report)
    report = check_layer(RaisesAboveEight(), (4,), mode=mode, kernels=PLAIN)
    assert "larger batches: does not hold; with 9 samples it raised IndexError: no room" in str(report)
    net = Autoencoder([EndsAtEight(3), Sigmoid()], [Dense(6)], loss="mse")
    report = check_model(net, BATCH, mode=mode, target=BATCH, kernels=PLAIN)
    assert "with 9 samples encoder.0.dW is wrong" in str(report)
    assert [part.subject for part in report.parts] == ["encoder.0: " + repr(EndsAtEight(3))]


def test_a_mistake_in_the_loss_is_not_reported_for_a_layer():
    class HalfDecay(Autoencoder):
        def finish_gradient(self, terms):
            self.dtheta[self.arena.decayed] -= 0.5 * self.weight_decay * self.theta[self.arena.decayed]
            return super().finish_gradient(terms)

    report = check_model(HalfDecay([Dense(3), Sigmoid()], [Dense(6)], weight_decay=0.4), BATCH, kernels=PLAIN)
    assert report.verdict is Verdict.WRONG
    assert not report.parts
    assert "every layer is right when checked alone" in str(report)


def test_noise_that_no_seed_moves_is_reported():
    class Frozen(Dropout):
        def draw(self):
            self.key[:] = 7

    net = Autoencoder([Dense(3)], [Dense(6)], corrupt=[Frozen(0.4)], loss="mse")
    report = check_model(net, BATCH, kernels=PLAIN)
    assert "noise is drawn anew: does not hold" in str(report)


@pytest.mark.parametrize("name", sorted(optimizers.OPTIMIZERS))
def test_every_optimizer_follows_its_algorithm(name):
    optimizer = optimizers.optimizer_by_name(name, 0.02)
    assert check_optimizer(optimizer).verdict is Verdict.PASS


@pytest.mark.parametrize("bug", bugs_of("adam"), ids=lambda bug: bug.name)
def test_a_wrong_adam_is_caught_and_named(bug):
    report = check_optimizer(plant_optimizer(bug))
    assert report.verdict is Verdict.WRONG
    assert [name.bug for name in report.names] == [bug.name]


def test_a_mistake_in_use_is_one_sentence():
    with pytest.raises(ValueError, match="is a class; give a layer made from it"):
        check_layer(Scale, (4,))
    with pytest.raises(ValueError, match="has no method plan"):
        check_layer("dense", (4,))
    with pytest.raises(ValueError, match=r"x has shape \(3, 5\)"):
        check_layer(Scale(), (4,), x=np.zeros((3, 5)))
    with pytest.raises(ValueError, match="is no Autoencoder"):
        check_model(Scale(), BATCH)
    with pytest.raises(ValueError, match="is no optimizer"):
        check_optimizer("adam")
    with pytest.raises(ValueError, match="mode is 'slow'"):
        check_layer(Scale(), (4,), mode="slow")


class ZeroesItsInput:
    """A wrong gradient that is right at x = 0, where its own first call has put x."""

    def plan(self, input_shape, arena):
        return input_shape

    def forward(self, x):
        self.x = x
        return np.tanh(x)

    def backward(self, dy):
        self.x *= 0
        return dy


class RectifiesInPlace(ZeroesItsInput):
    def forward(self, x):
        self.y = np.maximum(x, 0, out=x)
        return self.y

    def backward(self, dy):
        return dy * (self.y > 0)


@pytest.mark.parametrize("layer", [ZeroesItsInput(), RectifiesInPlace()])
def test_a_layer_that_changes_its_input_only_once_is_found_out(layer):
    report = check_layer(layer, (6,))
    assert report.verdict is Verdict.WRONG
    assert "a pass overwrites x" in str(report)


def test_a_layer_that_overwrites_the_upstream_gradient_is_found_out_though_a_second_call_changes_nothing():
    class MasksInPlace(ZeroesItsInput):
        def forward(self, x):
            self.x = x
            return np.maximum(x, 0)

        def backward(self, dy):
            dy *= self.x > 0
            return dy

    report = check_layer(MasksInPlace(), (6,))
    assert report.verdict is Verdict.WRONG
    assert "a pass overwrites the upstream gradient" in str(report)
    assert report["dx"].verdict is Verdict.PASS


def test_inputs_that_a_pass_overwrites_are_restored_for_the_other_checks():
    class Overwriting(Subject):
        def __init__(self):
            self.blocks = {"x": np.arange(3.0)}

        def output(self):
            return self.blocks["x"].copy()

        def gradients(self, u):
            self.blocks["x"] += 1
            return {"x": u.copy()}

    subject = Overwriting()
    assert inputs_unchanged(subject, np.ones(3)).detail == "a pass overwrites x"
    assert subject.blocks["x"].tolist() == [0, 1, 2]


def test_a_layer_that_computes_in_float32_is_told_so():
    class Narrow(ZeroesItsInput):
        def forward(self, x):
            self.x = x
            return np.tanh(x.astype(np.float32))

        def backward(self, dy):
            return dy * (1 - np.tanh(self.x) ** 2)

    report = check_layer(Narrow(), (6,))
    assert report.verdict is Verdict.PASS, str(report)
    assert "float32" in report.notes[0]


def test_the_self_test_prints_its_figures(capsys):
    assert selftest(["--configurations", "2", "--every", "10"]) == 0
    said = capsys.readouterr().out
    assert "22 of 22" in said
    assert "23 planted" in said
    assert "0 in 2 right configurations" in said
    assert "0 false alarms in 50" in said
    assert "0 missed, 0 false sentences in 100" in said
    assert "exceptions:              0, and 0 searches" in said
