"""Recorded programs: replaying calls gives the same bits as making them."""

import gc
import subprocess
import sys
import weakref

import numba
import numpy as np
import pytest
from helpers.small_models import samples
from hypothesis import given
from hypothesis import strategies as st

import npae.layers
from npae import Autoencoder
from npae.kernels import compiled, default_kernels, reference
from npae.kernels.execution import float_mode
from npae.kernels.execution.program import Call, Program, Recorder
from npae.layers import (
    ActivityL1,
    AppendLabel,
    AveragePool2D,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GaussianNoise,
    Layer,
    LeakyReLU,
    MaskingNoise,
    MaxPool2D,
    ReLU,
    Reparameterization,
    Reshape,
    SaltAndPepperNoise,
    Sigmoid,
    Softplus,
    Tanh,
    UpSample2D,
)
from npae.network import recipes
from npae.training.optimizers import Adam
from npae.training.replicas import ThreadReplicas

COMPILES = not numba.config.DISABLE_JIT

# Calls


def recorded(name, *arguments):
    """A program of one call of the compiled kernel ``name``."""
    program = Program()
    getattr(Recorder(compiled, program), name)(*arguments)
    return program


def random(*shape, dtype="float64", seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def each_kind(dtype):
    """Calls with arrays of one to four axes, of floats and integers; with whole numbers, floats and infinity."""
    image, flat = random(2, 5, 4, 3, dtype=dtype), random(40, dtype=dtype)
    rate, count = np.array([0.1]), np.array([3])
    stored, chosen, divisor = np.arange(30, dtype=np.uint8).reshape(10, 3), np.array([7, 0]), np.array([255], dtype)
    return {
        "take_converted": ([stored, chosen, divisor], [np.zeros((2, 3), dtype)]),
        "take_rows": ([image.reshape(10, 12), np.array([7, 0, 7])], [np.zeros((3, 12), dtype)]),
        "pad": ([image, 2, 1], [np.zeros((2, 8, 6, 3), dtype)]),
        "max_pool": ([image, 2, 2, 2, 2, 0, 0], [np.zeros((2, 3, 2, 3), dtype), np.zeros((2, 3, 2, 3), np.int32)]),
        "leaky_relu": ([flat, 0.25], [np.zeros(40, dtype)]),
        "gaussian_noise": ([flat, flat, flat, -np.inf, 2], [np.zeros(40, dtype), np.zeros(40, dtype)]),
        "adam": ([], [flat.copy(), flat, flat.copy(), flat**2, rate, count, 0.9, 0.99, 1e-8, 0.1]),
    }


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", each_kind("float32"))
def test_a_recorded_call_does_what_the_call_does(name, dtype):
    (inputs, ours), (_, theirs) = each_kind(dtype)[name], each_kind(dtype)[name]
    program = recorded(name, *inputs, *ours)
    assert program.is_native == COMPILES
    for _ in range(2):
        program.run()
        getattr(compiled, name)(*inputs, *theirs)
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(a, b)


@given(st.lists(st.tuples(st.sampled_from([0.5, 2, -1.25, 1e-30]), st.integers(0, 40)), max_size=12))
def test_calls_are_made_in_order_each_with_its_own_arrays(calls):
    y, expected = np.ones(40), np.ones(40)
    program = Program()
    for factor, n in calls:
        Recorder(compiled, program).add_scaled(y[:n], factor, y[40 - n :])
        compiled.add_scaled(expected[:n], factor, expected[40 - n :])
    assert len(program) == len(calls)
    program.run()
    np.testing.assert_array_equal(y, expected)


def test_a_call_can_be_added_after_a_run():
    x, y = np.ones(5), np.zeros(5)
    program = recorded("add_scaled", x, 1.0, y)
    program.run()
    Recorder(compiled, program).add_scaled(x, 10.0, y)
    program.run()
    np.testing.assert_array_equal(y, 12)


@pytest.mark.parametrize("number", [2, 2.0, True, np.float32(2), np.float64(2), np.int8(2), np.uint16(2), np.True_])
def test_a_number_may_be_any_of_pythons_and_numpys(number):
    x, y = np.arange(5.0), np.zeros(5)
    recorded("leaky_relu", -x, number, y).run()
    np.testing.assert_array_equal(y, -x * float(number))


def test_arrays_that_may_not_be_written_and_empty_ones_can_be_read():
    x, y = np.ones((3, 4)), np.zeros((2, 4))
    x.flags.writeable = False
    chosen = np.array([2, 0])
    recorded("take_rows", x, chosen, y).run()
    recorded("take_rows", x, chosen[:0], y[:0]).run()
    np.testing.assert_array_equal(y, 1)


def test_a_call_can_become_one_of_another_kernel():
    x, y = np.arange(6.0).reshape(3, 2), np.zeros((1, 2))
    program = recorded("take_rows", x, np.array([1]), y)
    program.run()
    np.testing.assert_array_equal(y, [[2, 3]])
    stored, divisor = np.array([[6, 8]], np.int8), np.array([2], np.float32)
    program.replace(0, Call(compiled.take_converted, (stored, np.array([0]), divisor, y)))
    program.run()
    np.testing.assert_array_equal(y, [[3, 4]])


@pytest.mark.parametrize("other", ["the same", "longer", "float64", "read-only", "unaligned"])
@pytest.mark.parametrize("is_released", [False, True])
def test_a_call_reads_another_array_whatever_its_type(other, is_released):
    first, y, program = random(3, dtype="float32"), np.zeros(3, "float32"), Program()
    program.add(compiled.add_scaled, first, 1.0, y)
    if COMPILES:
        program.run()
    call, y[:] = program.calls[0], 0
    if is_released:
        call.release()
        call.release()
    array = random(5 if other == "longer" else 3, dtype="float64" if other == "float64" else "float32", seed=1)
    if other == "read-only":
        array.flags.writeable = False
    if other == "unaligned":
        array = np.frombuffer(b"\0" + array.tobytes(), "float32", offset=1)
    renewed = call.reading(array)
    assert (renewed is call) == (COMPILES and other in {"the same", "longer"})
    program.replace(0, renewed)
    program.run()
    np.testing.assert_array_equal(y, array[:3].astype("float32"))


def test_an_array_that_a_call_has_released_lives_no_longer():
    first, y = random(3), np.zeros(3)
    call, gone = Call(compiled.add_scaled, (first, 1.0, y)), weakref.ref(first)
    del first
    assert gone() is not None
    call.release()
    assert gone() is None


def test_a_call_refuses_to_read_another_array_that_is_not_contiguous():
    call = Call(compiled.add_scaled, (random(3), 1.0, np.zeros(3)))
    with pytest.raises(ValueError, match="not C-contiguous"):
        call.reading(random(6)[::2])


def test_the_contents_of_arrays_are_read_when_a_program_runs():
    x, y = np.ones(5), np.zeros(5)
    program = recorded("relu", x, y)
    x[...] = 7
    program.run()
    np.testing.assert_array_equal(y, 7)


def test_a_program_keeps_its_arrays_alive():
    y = np.zeros(100_000)
    program = Program()
    for i in range(20):
        Recorder(compiled, program).add_scaled(np.full(100_000, float(i)), 1.0, y)
    gc.collect()
    others = [np.full(100_000, np.nan) for _ in range(20)]  # would take the place of what was let go
    program.run()
    np.testing.assert_array_equal(y, sum(range(20)))
    assert len(others) == 20


@pytest.mark.parametrize("array", [np.zeros((4, 6))[:, ::2], np.zeros((4, 6)).T, np.zeros((4, 6))[::-1]])
def test_an_array_that_is_not_contiguous_is_refused(array):
    program = Program()
    with pytest.raises(ValueError, match=r"an array given to relu is not C-contiguous; give a copy of it"):
        Recorder(compiled, program).relu(array, np.zeros(array.shape))
    assert len(program) == 0


def test_an_empty_program_does_nothing():
    assert Program().is_native
    Program().run()


def test_kernels_without_machine_code_are_called_by_python():
    x, y, called = np.full(3, -1.0), np.zeros(3), []
    program = Program()
    Recorder(reference, program).leaky_relu(x, 0.5, y)
    assert not program.is_native
    program.add(called.append, 5)
    Recorder(compiled, program).add_scaled(x, 1.0, y)
    program.run()
    assert called == [5]
    np.testing.assert_array_equal(y, -1.5)


@pytest.mark.skipif(not COMPILES, reason="Python has the memory it needs")
def test_a_kernel_that_cannot_allocate_raises_a_memory_error():
    @numba.njit(nogil=True)
    def greedy(n, y):
        y[0] = np.ones(n)[-1]

    program = Program()
    program.add(greedy, 2**60, np.zeros(1))
    for _ in range(2):
        with pytest.raises(MemoryError, match="choose a smaller batch or network"):
            program.run()


def test_training_with_the_reference_kernels_does_not_import_numba():
    program = """
import sys
import numpy as np
from npae import recipes
from npae.kernels import reference_kernels
from npae.optimizers import Adam
from npae.training import Training
net = recipes.vanilla((4,), code_size=2).build((4,), kernels=reference_kernels())
for n_jobs in (1, 2):
    Training(net, Adam(), batch_size=2, n_jobs=n_jobs).fit(np.ones((5, 4)), 1)
print("numba" in sys.modules)
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.stdout == "False\n", result.stderr


# Passes through a network


class Doubling(Layer):
    """Somebody's own layer, which calls no kernels."""

    def plan(self, input_shape, arena):
        return input_shape

    def forward(self, x):
        return 2 * x

    def backward(self, dy):
        return 2 * dy


class OwnReLU(ReLU):
    """One of npae's layers, changed."""

    def backward(self, dy):
        return 3 * super().backward(dy)


def every_layer_of_images():
    encoder = [
        *(Conv2D(3, (3, 2), stride=(2, 1), padding=((2, 1), (0, 3))), LeakyReLU(0.2), Dropout(0.3)),
        *(AveragePool2D(3, stride=2), Conv2D(17, 2), Softplus(), MaxPool2D(2), Flatten(), Dense(5), Sigmoid()),
    ]
    decoder = [
        *(Dense(12), Tanh(), Reshape((2, 2, 3)), UpSample2D(2, mode="bilinear"), Conv2D(4), ReLU()),
        *(UpSample2D(2), Conv2D(1), Sigmoid()),
    ]
    corrupt = [GaussianNoise(0.1, clip=(0, 1)), MaskingNoise(0.2), SaltAndPepperNoise(0.1)]
    options = {"loss": "bce_on_probabilities", "weight_decay": 0.01}
    return Autoencoder(encoder, decoder, corrupt=corrupt, code=[ActivityL1(0.1)], **options)


NETWORKS = {
    "vanilla": lambda: recipes.vanilla((8, 8), code_size=3, weight_decay=0.1),
    "tied": lambda: recipes.deep((8, 8), hidden=(7,), code_size=3, tied_weights=True, activity_l1=0.1, loss="mse"),
    "convolutional": lambda: recipes.convolutional((8, 8), filters=(2, 17), code_size=4, activity_l1=0.1),
    "gaussian": lambda: recipes.denoising((8, 8), hidden=(7,), code_size=3, loss="mse"),
    "noise of unknown strength": lambda: recipes.denoising((8, 8), noise_level=(0.1, 0.6), hidden=(), code_size=3),
    "salt and pepper": lambda: recipes.denoising((8, 8), noise="salt_and_pepper", hidden=(), code_size=3),
    "variational": lambda: recipes.variational(
        (8, 8), hidden=(7,), code_size=3, beta=2.0, warm_up_steps=3, activity_l1=0.1
    ),
    "conditional": lambda: Autoencoder(
        [Flatten(), Dense(5)], [AppendLabel(3), Dense(64), Reshape((8, 8))], code=[Reparameterization(3)]
    ),
    "variational images": lambda: recipes.variational((8, 8, 1), filters=(2,), code_size=3, weight_decay=0.1),
    "every layer of images": every_layer_of_images,
    "own layer": lambda: Autoencoder(
        [Flatten(), Dropout(0.2), Doubling(), Dense(5), OwnReLU()], [Dense(64), Reshape((8, 8, 1))], weight_decay=0.1
    ),
}


def built(name, dtype):
    is_image = name in ("variational images", "every layer of images", "own layer")
    return NETWORKS[name]().build((8, 8, 1) if is_image else (8, 8), dtype=dtype)


def layers_of(net):
    return {type(layer).__name__ for layer in net.arena.layers.values()}


def test_the_networks_of_this_file_contain_every_layer():
    found = set().union(*(layers_of(built(name, "float32")) for name in NETWORKS))
    assert found >= set(npae.layers.__all__) - {"Layer"}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_recorded_pass_is_the_pass_bit_for_bit_at_every_step_and_for_every_batch(name, dtype):
    ours, theirs = built(name, dtype), built(name, dtype)
    x = samples(30, *ours.input_shape).astype(dtype)
    labels = np.arange(30) % 3 if name == "conditional" else None
    replicas = ThreadReplicas(ours, 1)
    replicas.set_data(x, labels=labels)
    steps = []
    for net in (ours, theirs):
        optimizer = Adam(1e-2)
        optimizer.bind(net.arena)
        steps.append(optimizer)
    order = np.random.default_rng(0).permutation(30)
    for step in range(6):
        chosen = order[5 * step : 5 * step + (3 if step == 3 else 5)]
        chosen_labels = None if labels is None else labels[chosen]
        assert replicas.gradient(chosen) == theirs.gradient(x[chosen], labels=chosen_labels)
        assert ours.terms == theirs.terms
        assert ours.loss.losses.tobytes() == theirs.loss.losses.tobytes()
        assert ours.dtheta.tobytes() == theirs.dtheta.tobytes()
        assert np.abs(ours.dtheta).max() > 0
        for net, optimizer in zip((ours, theirs), steps, strict=True):
            optimizer.step()
            net.run.step += 1


@pytest.mark.parametrize("name", NETWORKS)
def test_only_a_network_with_a_user_defined_layer_is_run_by_python(name):
    net = built(name, "float32")
    program = Program()
    x = samples(3, *net.input_shape)
    net.record_pass(x, x, 3, np.zeros(len(net.term_names)), program)
    is_own = name == "own layer"
    assert program.is_native == (net.arena.kernels is compiled and not is_own)
    assert (len(program) == 1) == is_own
    kernels = {layer.kernels for layer in net.arena.layers.values()} | {net.loss.kernels}
    assert kernels == {default_kernels()}


def test_recording_a_pass_computes_nothing():
    net = built("convolutional", "float32")
    x = samples(3, 8, 8)
    net.gradient(x)
    before = net.dtheta.copy()
    net.record_pass(1 - x, 1 - x, 3, np.zeros(1), Program())
    np.testing.assert_array_equal(net.dtheta, before)


@pytest.mark.skipif(not COMPILES or float_mode.REGISTER is None, reason="no processor that is told how to round")
def test_subnormal_numbers_count_as_zero_while_a_program_runs_and_no_longer():
    tiny = np.full(4, 1e-39, "float32")
    total = np.zeros(4, "float32")
    recorded("add_scaled", tiny, 1.0, total).run()
    assert not total.any()
    assert (tiny * np.float32(0.5)).all()  # this thread computes with them as before
