"""Exercises 12 to 20 and the hunts: the numbers in their texts, training, and the known mistakes."""

import numpy as np
import pytest

from npae.learn.catalogue import catalogue
from npae.learn.judging.judge import judge
from npae.learn.sandbox.in_process import InProcess
from npae.learn.workspace import milestones

PLANTED = {
    "hunt_dense": "double-average",
    "hunt_bce": "extra-σ′",
    "hunt_convolution": "crop-from-0",
    "hunt_pooling": "assign",
    "hunt_variational": "KL-no-one",
}


def reference(name):
    return catalogue.find(name).reference


@pytest.mark.parametrize("name", PLANTED)
def test_a_hunt_holds_the_mistake_that_its_story_is_about(name):
    exercise = catalogue.find(name)
    functions = {"__name__": name}
    exec(compile(exercise.stub, "stub.py", "exec"), functions)
    outcome = judge(exercise, InProcess({"backward": functions["backward"]}))
    assert not outcome.passed
    assert outcome.bug == PLANTED[name]


@pytest.mark.parametrize("name", ["vanilla", "deep", "denoising", "convolutional", "variational"])
def test_the_reference_of_a_milestone_learns(name):
    exercise = catalogue.find(name)
    images = milestones.load_digits().train_images[:200]
    right = InProcess({f.name: exercise.solution(f) for f in exercise.functions})
    epochs = list(milestones.train(exercise, right, images))
    assert epochs[-1].yours < 0.75 * epochs[0].yours
    x = milestones.shaped(exercise, images)
    made = exercise.reference.reconstruct(x, epochs[-1].parameters)
    assert made.shape == x.shape
    assert np.mean((made - x) ** 2) < np.mean((x.mean(axis=0) - x) ** 2)


def test_a_denoising_network_is_shown_noise():
    x = np.full((40, 50), 0.5)
    noisy = reference("denoising").corrupted(np.random.default_rng(0), x)
    assert np.std(noisy - x) == pytest.approx(0.4, rel=0.1)


def test_one_pixel_of_a_vanilla_autoencoder():
    n, n_pixels = 50, 784
    parameters = np.zeros((n_pixels, 1)), np.zeros(1), np.zeros((1, n_pixels)), np.full(n_pixels, np.log(4))
    *_, db2 = reference("vanilla").gradient(np.ones((n, n_pixels)), *parameters)
    assert db2 / n == pytest.approx(np.full(n_pixels, -5.1e-6), rel=1e-3)


def test_tied_weights_receive_from_both_places():
    _, dW, _, _ = reference("deep").backward(np.ones((1, 1)), np.full((1, 1), 2.0), np.full((1, 1), 3.0), np.zeros(1))
    assert dW == 12


def test_dropout_enlarges_what_remains():
    denoising = reference("denoising")
    assert denoising.dropout(3.0, 1, 0.2) == pytest.approx(3.75)
    assert denoising.backward(1.0, 1, 0.2) == pytest.approx(1.25)
    assert denoising.backward(1.0, 0, 0.2) == 0


def test_a_convolution_in_one_dimension():
    x, W, g = np.array([1.0, 2, 3]), np.array([10.0, 1]), np.ones((1, 1, 2, 1))
    x, W = x.reshape(1, 1, 3, 1), W.reshape(1, 2, 1, 1)
    convolution = reference("convolution")
    assert convolution.forward(x, W, 0.0).ravel().tolist() == [12, 23]
    assert convolution.backward(g, x, W)[0].ravel().tolist() == [10, 11, 1]


@pytest.mark.parametrize(("n", "unseen"), [(6, []), (7, [6])])
def test_windows_with_a_stride_and_a_border(n, unseen):
    x, W = np.ones((1, n, 1, 1)), np.ones((3, 1, 1, 1))
    where = (2, 1), ((1, 0), (0, 0))
    y = reference("stride").forward(x, W, 0.0, *where)
    assert y.shape == (1, 3, 1, 1)
    dx, _, _ = reference("stride").backward(np.ones(y.shape), x, W, *where)
    assert np.flatnonzero(dx == 0).tolist() == unseen


def test_pooling_in_one_dimension():
    x, g = np.array([1.0, 5, 2, 3]).reshape(1, 1, 4, 1), np.array([10.0, 20, 30]).reshape(1, 1, 3, 1)
    pooling = reference("pooling")
    assert pooling.max_backward(g, x, (1, 2), (1, 1)).ravel().tolist() == [0, 30, 0, 30]
    assert pooling.average_backward(g, x, (1, 2), (1, 1)).ravel().tolist() == [5, 15, 25, 15]


def test_upsampling_in_one_dimension():
    g = np.array([1.0, 10, 100, 1000]).reshape(1, 1, 4, 1)
    assert reference("convolutional").backward(g, (1, 2)).ravel().tolist() == [11, 1100]


def test_a_code_that_is_drawn():
    log_var, eps = np.log([[4.0]]), np.array([[0.5]])
    drawn = reference("reparameterization")
    assert drawn.forward(np.ones((1, 1)), log_var, eps) == pytest.approx(2)
    assert drawn.forward(np.ones((1, 1)), log_var + 0.01, eps) == pytest.approx(2.00501, abs=1e-5)
    assert drawn.backward(np.ones((1, 1)), np.ones((1, 1)), log_var, eps)[1] == pytest.approx(0.5)


def test_the_price_of_a_code():
    mu, log_var, eps = np.zeros((1, 1)), np.log([[4.0]]), np.zeros((1, 1))
    variational = reference("variational")
    assert variational.code(mu, log_var, eps, 1.0)[1] == pytest.approx(0.807, abs=1e-3)
    assert variational.backward((np.zeros((1, 1)), 1.0), mu, log_var, eps, 1.0)[1] == pytest.approx(1.5)
