"""Gradients of public code that are right, found by reading: a complaint about one of them is a false alarm."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from public_cases import LOSSES, NETS, NUMPY_ML, SRC, Array, Case, Pair, loss, passes, predictions, slope

RIGHT: list[Case] = []
Build = Callable[[SimpleNamespace, np.random.Generator], Pair]


def right(repository: str, path: str, definitions: str, build: Build, **given: Any) -> None:
    """Register a right gradient."""
    RIGHT.append(Case(repository, path, tuple(definitions.split()), "", frozenset(), build, given))


def _x(rng: np.random.Generator) -> Array:
    return rng.standard_normal((3, 4))


def activation(name: str, forward: str = "", derivative: str = "gradient") -> Build:
    """A class with a function and its derivative."""

    def build(m: SimpleNamespace, rng: np.random.Generator) -> Pair:
        unit = vars(m)[name]()
        return slope(getattr(unit, forward) if forward else unit, getattr(unit, derivative), _x(rng))

    return build


def cached(forward: str, backward: str, *shapes: tuple[int, ...], options: tuple[Any, ...] = ()) -> Build:
    """Functions that pass a cache on, as in CS231n: ``y, cache = forward(...)``, ``backward(dout, cache)``."""

    def build(m: SimpleNamespace, rng: np.random.Generator) -> Pair:
        run, back = vars(m)[forward], vars(m)[backward]
        return Pair(
            lambda *arrays: run(*arrays, *options)[0],
            lambda g, *arrays: back(g, run(*arrays, *options)[1]),
            [rng.standard_normal(shape) for shape in shapes],
            list(range(len(shapes))),
        )

    return build


def with_loss(forward: str, derivative: str, mse: bool = False, wrt: int = 0) -> Build:
    """A class with a loss and its derivative, for logits or numbers and targets."""

    def build(m: SimpleNamespace, rng: np.random.Generator) -> Pair:
        (entity,) = [value for value in vars(m).values() if isinstance(value, type)][-1:]
        found = entity()
        inputs = [rng.standard_normal((5, 4)), rng.standard_normal((5, 4)) if mse else predictions(rng)[0]]
        return loss(getattr(found, forward), getattr(found, derivative), *inputs, wrt=wrt)

    return build


def both(function: str) -> Build:
    """A function of x and labels that returns a loss and its gradient by x."""

    def build(m: SimpleNamespace, rng: np.random.Generator) -> Pair:
        run, labels = vars(m)[function], np.array([2, 0, 2, 1, 0])
        return Pair(lambda x: run(x, labels)[0], lambda g, x: g * run(x, labels)[1], [rng.standard_normal((5, 4))], [0])

    return build


def plain(name: str) -> Build:
    """A layer without parameters."""
    return lambda m, rng: passes(vars(m)[name], _x(rng))


def affine(make: Callable[[SimpleNamespace, Array, Array], Any], gradients: Callable[[Any], Any]) -> Build:
    """A dense layer x W + b with ``forward`` and ``backward``."""

    def build(m: SimpleNamespace, rng: np.random.Generator) -> Pair:
        def back(g: Array, x: Array, W: Array, b: Array) -> Any:
            layer = make(m, W, b)
            layer.forward(x)
            return (layer.backward(g), *gradients(layer))

        inputs = [rng.standard_normal(shape) for shape in ((3, 4), (4, 5), (5,))]
        return Pair(lambda x, W, b: make(m, W, b).forward(x), back, inputs, [0, 1, 2])

    return build


def unpacked(build: Build) -> Build:
    """The same for a backward pass that returns dx beside other things."""

    def first(m: SimpleNamespace, rng: np.random.Generator) -> Pair:
        pair = build(m, rng)
        return Pair(pair.f, lambda g, x: pair.backward(g, x)[0], pair.inputs, pair.wrt)

    return first


MLFS = "eriklindernoren/ML-From-Scratch"
UNITS = "mlfromscratch/deep_learning/activation_functions.py"
for _unit in ("Sigmoid", "TanH", "ReLU", "LeakyReLU", "ELU", "SELU", "SoftPlus"):
    right(MLFS, UNITS, _unit, activation(_unit))
for _unit in ("ReLU", "Tanh", "Affine", "ELU", "Exponential", "HardSigmoid", "SoftPlus"):
    right(NUMPY_ML, f"{NETS}/activations/activations.py", _unit, activation(_unit, "fn", "grad"))

HIPSTER = "wiseodd/hipsternet"
for _name, _shapes, _options in (
    ("fc", ((3, 4), (4, 5), (5,)), ()),
    ("relu", ((3, 4),), ()),
    ("lrelu", ((3, 4),), ()),
    ("tanh", ((3, 4),), ()),
):
    right(
        HIPSTER,
        "hipsternet/layer.py",
        f"{_name}_forward {_name}_backward",
        cached(f"{_name}_forward", f"{_name}_backward", *_shapes, options=_options),
    )

for _repository, _folder in (("jariasf/CS231n", "assignment2"), ("FortiLeiZhang/cs231n", "code/cs231n/assignment2")):
    _path = f"{_folder}/cs231n/layers.py"
    for _name, _shapes, _options in (
        ("affine", ((3, 4), (4, 5), (5,)), ()),
        ("relu", ((3, 4),), ()),
        ("batchnorm", ((5, 4), (4,), (4,)), ({"mode": "train"},)),
        ("layernorm", ((3, 4), (4,), (4,)), ({},)),
    ):
        right(
            _repository,
            _path,
            f"batchnorm_forward batchnorm_backward_alt {_name}_forward {_name}_backward",
            cached(f"{_name}_forward", f"{_name}_backward", *_shapes, options=_options),
        )
    right(_repository, _path, "softmax_loss", both("softmax_loss"))
    right(_repository, _path, "svm_loss", both("svm_loss"))

# Where stride and padding are divided by /, the code of the first does not run in Python 3.
right(
    "FortiLeiZhang/cs231n",
    "code/cs231n/assignment2/cs231n/layers.py",
    "conv_forward_naive conv_backward_naive",
    cached(
        "conv_forward_naive",
        "conv_backward_naive",
        (2, 3, 6, 6),
        (4, 3, 3, 3),
        (4,),
        options=({"stride": 1, "pad": 1},),
    ),
)

for _repository, _folder in (
    ("jariasf/CS231n", "assignment3"),
    ("FortiLeiZhang/cs231n", "code/cs231n/assignment3"),
):
    right(
        _repository,
        f"{_folder}/cs231n/rnn_layers.py",
        "rnn_step_forward rnn_step_backward",
        cached("rnn_step_forward", "rnn_step_backward", (2, 4), (2, 3), (4, 3), (3, 3), (3,)),
    )
    right(
        _repository,
        f"{_folder}/cs231n/rnn_layers.py",
        "rnn_step_forward rnn_step_backward rnn_forward rnn_backward",
        cached("rnn_forward", "rnn_backward", (2, 5, 4), (2, 3), (4, 3), (3, 3), (3,)),
    )

FIRST = "oreilly-japan/deep-learning-from-scratch"
SECOND = "oreilly-japan/deep-learning-from-scratch-2"
right(
    FIRST,
    "common/layers.py",
    "Affine",
    affine(lambda m, W, b: m.Affine(W, b), lambda layer: (layer.dW, layer.db)),
)
right(SECOND, "common/layers.py", "Affine", affine(lambda m, W, b: m.Affine(W, b), lambda layer: layer.grads))
right(FIRST, "common/layers.py", "Sigmoid", plain("Sigmoid"), sigmoid=lambda x: 1 / (1 + np.exp(-x)))
right(SECOND, "common/layers.py", "Sigmoid", plain("Sigmoid"))
right(SECOND, "common/layers.py", "Softmax", plain("Softmax"), softmax=LOSSES["softmax"])


def _linear(m: SimpleNamespace, W: Array, b: Array) -> Any:
    layer = m.Linear(*W.shape)
    layer.params.update(w=W, b=b)
    return layer


right(
    "joelgrus/joelnet",
    "joelnet/layers.py",
    "Layer Linear",
    affine(_linear, lambda layer: (layer.grads["w"], layer.grads["b"])),
)
right("joelgrus/joelnet", "joelnet/layers.py", "Layer Activation tanh tanh_prime Tanh", plain("Tanh"))
right("joelgrus/joelnet", "joelnet/loss.py", "Loss MSE", with_loss("loss", "grad", mse=True))

TINYNN = "borgwang/tinynn"
right(TINYNN, "tinynn/core/loss.py", "MSE", with_loss("loss", "grad", mse=True))
right(TINYNN, "tinynn/core/loss.py", "SoftmaxCrossEntropy", with_loss("loss", "grad"), **LOSSES)

DEEPNET = "parasdahal/deepnet"
right(DEEPNET, "deepnet/layers.py", "ReLU", unpacked(plain("ReLU")))
right(DEEPNET, "deepnet/layers.py", "tanh", unpacked(plain("tanh")))
right(
    "SkalskiP/ILearnDeepLearning.py",
    f"{SRC}/activation/relu.py",
    "ReluLayer",
    lambda m, rng: passes(m.ReluLayer, _x(rng), "forward_pass", "backward_pass", True),
)
right(
    "OmarAflak/Medium-Python-Neural-Network",
    "losses.py",
    "mse mse_prime",
    lambda m, rng: loss(m.mse, m.mse_prime, _x(rng), _x(rng), wrt=1),
)
right(
    "OmarAflak/Medium-Python-Neural-Network",
    "activations.py",
    "tanh tanh_prime",
    lambda m, rng: slope(m.tanh, m.tanh_prime, _x(rng)),
)
