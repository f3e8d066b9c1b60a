"""Wrong gradients of public code, each as the pair (f, backward) that a reader of the file would hand to ``check``.

They were found by reading, but for the last, which was taken for right until it was checked. ``names`` are the right
names of the known mistakes; where there are none, any name said is false.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import erf
from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy import signal

Array = Any
ROWS = "a mean over all entries, but divided by the number of rows"


@dataclass(frozen=True)
class Pair:
    """``check(f, backward, inputs, wrt=wrt)``."""

    f: Callable[..., Any]
    backward: Callable[..., Any]
    inputs: list[Any]
    wrt: list[int]


@dataclass(frozen=True)
class Case:
    """A wrong gradient: where it stands, what is wrong in words, the right names, and how it is called."""

    repository: str
    path: str
    definitions: tuple[str, ...]
    wrong: str
    names: frozenset[str]
    build: Callable[[SimpleNamespace, np.random.Generator], Pair]
    given: dict[str, Any]


CASES: list[Case] = []


def case(repository: str, path: str, definitions: str, wrong: str, names: str = "", **given: Any) -> Callable[..., Any]:
    """Decorator: register a case; ``definitions`` and ``names`` are space-separated."""

    def register(build: Callable[..., Pair]) -> Callable[..., Pair]:
        CASES.append(Case(repository, path, tuple(definitions.split()), wrong, frozenset(names.split()), build, given))
        return build

    return register


def passes(make: Callable[[], Any], x: Array, forward: str = "forward", backward: str = "backward", *more: Any) -> Pair:
    """A layer without parameters; ``more`` are further arguments of its forward pass."""

    def f(x: Array) -> Any:
        return getattr(make(), forward)(x, *more)

    def back(g: Array, x: Array) -> Any:
        layer = make()
        getattr(layer, forward)(x, *more)
        return getattr(layer, backward)(g)

    return Pair(f, back, [x], [0])


def slope(f: Callable[[Array], Any], derivative: Callable[[Array], Any], x: Array) -> Pair:
    """A function and its derivative, as networks use them: times the gradient from above."""
    return Pair(f, lambda g, x: g * derivative(x), [x], [0])


def loss(f: Callable[..., Any], derivative: Callable[..., Any], *inputs: Array, wrt: int) -> Pair:
    """A loss and its derivative by one of its arguments."""
    return Pair(f, lambda g, *arrays: g * derivative(*arrays), list(inputs), [wrt])


def predictions(rng: np.random.Generator) -> tuple[Array, Array]:
    """Targets (one-hot) and probabilities of five samples and four classes."""
    p = rng.uniform(0.1, 1.0, (5, 4))
    return np.eye(4)[[2, 0, 2, 1, 0]], p / p.sum(axis=1, keepdims=True)


MLFS = "eriklindernoren/ML-From-Scratch"


@case(MLFS, "mlfromscratch/deep_learning/activation_functions.py", "Softmax", "the diagonal only", "diagonal-only")
def _(m: Any, rng: Any) -> Pair:
    return slope(m.Softmax(), m.Softmax().gradient, rng.standard_normal((3, 4)))


@case(MLFS, "mlfromscratch/deep_learning/layers.py", "UpSampling2D", "one cell of each block is picked", "stride-pick")
def _(m: Any, rng: Any) -> Pair:
    return passes(lambda: m.UpSampling2D((2, 2)), rng.standard_normal((2, 3, 4, 5)), "forward_pass", "backward_pass")


@case(MLFS, "mlfromscratch/deep_learning/layers.py", "RNN", "dx without the outputs of later steps")
def _(m: Any, rng: Any) -> Pair:
    weights = {"U": rng.standard_normal((3, 4)), "V": rng.standard_normal((4, 3)), "W": rng.standard_normal((3, 3))}

    def make() -> Any:
        layer = m.RNN.__new__(m.RNN)
        keep = SimpleNamespace(update=lambda w, dw: w)
        slopes = SimpleNamespace(gradient=lambda a: 1 - np.tanh(a) ** 2)
        activation = type("TanH", (), {"__call__": staticmethod(np.tanh), "gradient": staticmethod(slopes.gradient)})()
        vars(layer).update(weights, n_units=3, activation=activation, bptt_trunc=5, U_opt=keep, V_opt=keep, W_opt=keep)
        return layer

    return passes(make, rng.standard_normal((2, 5, 4)), "forward_pass", "backward_pass")


@case("parasdahal/deepnet", "deepnet/layers.py", "sigmoid", "1/(1 + e^x) falls, but its slope is positive", "sign")
def _(m: Any, rng: Any) -> Pair:
    pair = passes(m.sigmoid, rng.standard_normal((3, 4)))
    return Pair(pair.f, lambda g, x: pair.backward(g, x)[0], pair.inputs, pair.wrt)


@case(
    "OmarAflak/Medium-Python-Neural-Network",
    "conv_layer.py",
    "ConvLayer",
    "db is times the kernels, not the channels",
    signal=signal,
)
def _(m: Any, rng: Any) -> Pair:
    def make(W: Array, b: Array) -> Any:
        layer = m.ConvLayer((6, 5, 2), (3, 2), 4)
        layer.weights, layer.bias = W.copy(), b.copy()
        return layer

    def back(g: Array, x: Array, W: Array, b: Array) -> Any:
        layer = make(W, b)
        layer.forward_propagation(x)
        dx = layer.backward_propagation(g, 1.0)
        return dx, W - layer.weights, b - layer.bias

    inputs = [rng.standard_normal(shape) for shape in ((6, 5, 2), (3, 2, 2, 4), (4,))]
    return Pair(lambda x, W, b: make(W, b).forward_propagation(x), back, inputs, [0, 1, 2])


TINYNN = "borgwang/tinynn"


@case(TINYNN, "tinynn/core/layer.py", "ELU", "x > 0.0 + … is one comparison, so the slope is 0 or 1", "relu-slope")
def _(m: Any, rng: Any) -> Pair:
    elu = m.ELU.__new__(m.ELU)
    elu._alpha = 1.0
    return slope(elu.func, elu.derivative, rng.standard_normal((3, 4)))


def _softmax(x: Array, t: float = 1.0, axis: int = -1) -> Array:
    e = np.exp(x / t - np.max(x / t, axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def _log_softmax(x: Array, t: float = 1.0, axis: int = -1) -> Array:
    return np.log(_softmax(x, t, axis))


LOSSES = {"softmax": _softmax, "log_softmax": _log_softmax}


@case(TINYNN, "tinynn/core/loss.py", "SoftmaxCrossEntropy", "not divided by the temperature", **LOSSES)
def _(m: Any, rng: Any) -> Pair:
    entropy = m.SoftmaxCrossEntropy(T=2.0)
    return loss(entropy.loss, entropy.grad, rng.standard_normal((5, 4)), predictions(rng)[0], wrt=0)


@case(TINYNN, "tinynn/core/loss.py", "SoftmaxCrossEntropy", "weights by column, not by the sample's class", **LOSSES)
def _(m: Any, rng: Any) -> Pair:
    entropy = m.SoftmaxCrossEntropy(weights=[0.5, 1.0, 2.0, 3.0])
    return loss(entropy.loss, entropy.grad, rng.standard_normal((5, 4)), predictions(rng)[0], wrt=0)


KGW = "kgw-wilson/numpy-autoencoder"


class _AnyType:
    def __class_getitem__(cls, item: Any) -> Any:
        return cls


@case(KGW, "autoencoder.py", "AutoEncoder", ROWS, "batch-only", Literal=_AnyType)
def _(m: Any, rng: Any) -> Pair:
    net = m.AutoEncoder.__new__(m.AutoEncoder)
    x, y = rng.standard_normal((3, 4)), rng.standard_normal((3, 4))
    return loss(net.reconstruction_loss, net.d_loss_d_out, x, y, wrt=1)


@case(
    KGW, "autoencoder.py", "AutoEncoder", "biases get a mean over the batch", "db-mean means-for-sums", Literal=_AnyType
)
def _(m: Any, rng: Any) -> Pair:
    def make(W1: Array, b1: Array, W2: Array, b2: Array) -> Any:
        net = m.AutoEncoder.__new__(m.AutoEncoder)
        net.weights, net.biases = [W1.copy(), W2.copy()], [b1.copy(), b2.copy()]
        net.pre_activations, net.activations = [None, None], [None, None, None]
        net.activation_func, net.learning_rate = "sigmoid", 1.0
        return net

    def back(g: Array, x: Array, *parameters: Array) -> Any:
        net = make(*parameters)
        net.forward(x)
        net.backward(g)
        after = (net.weights[0], net.biases[0], net.weights[1], net.biases[1])
        return tuple(before - now for before, now in zip(parameters, after, strict=True))

    inputs = [rng.standard_normal(shape) for shape in ((3, 6), (6, 4), (4,), (4, 6), (6,))]
    return Pair(lambda x, *parameters: make(*parameters).forward(x), back, inputs, [1, 2, 3, 4])


@case(
    "lionelmessi6410/Neural-Networks-from-Scratch",
    "model.py",
    "DeepNeuralNetwork",
    "the slope is 1 everywhere",
    "no-mask",
)
def _(m: Any, rng: Any) -> Pair:
    net = m.DeepNeuralNetwork.__new__(m.DeepNeuralNetwork)
    return slope(net.relu, lambda x: net.relu(x, derivative=True), rng.standard_normal((3, 4)))


VZHOU = "vzhou842/cnn-from-scratch"


@case(VZHOU, "softmax.py", "Softmax", "returns within the loop over g", "return-in-loop")
def _(m: Any, rng: Any) -> Pair:
    def make(W: Array, b: Array) -> Any:
        layer = m.Softmax(*W.shape)
        layer.weights, layer.biases = W.copy(), b.copy()
        return layer

    def back(g: Array, x: Array, W: Array, b: Array) -> Any:
        layer = make(W, b)
        layer.forward(x)
        dx = layer.backprop(g, 1.0)
        return dx, W - layer.weights, b - layer.biases

    inputs = [rng.standard_normal(shape) for shape in ((6,), (6, 4), (4,))]
    return Pair(lambda x, W, b: make(W, b).forward(x), back, inputs, [0, 1, 2])


@case(VZHOU, "maxpool.py", "MaxPool2", "at a tie every cell gets the whole gradient", "ties-all")
def _(m: Any, rng: Any) -> Pair:
    return passes(m.MaxPool2, rng.integers(0, 3, (6, 4, 2)).astype(float), "forward", "backprop")


SKALSKI = "SkalskiP/ILearnDeepLearning.py"
SRC = "01_mysteries_of_neural_networks/06_numpy_convolutional_neural_net/src"


@case(SKALSKI, f"{SRC}/layers/dense.py", "DenseLayer", "dW and db are divided by N", "double-average db-mean")
def _(m: Any, rng: Any) -> Pair:
    def back(g: Array, x: Array, W: Array, b: Array) -> Any:
        layer = m.DenseLayer(W, b)
        layer.forward_pass(x, training=True)
        return (layer.backward_pass(g), *layer.gradients)

    inputs = [rng.standard_normal(shape) for shape in ((3, 4), (5, 4), (1, 5))]
    return Pair(lambda x, W, b: m.DenseLayer(W, b).forward_pass(x, training=True), back, inputs, [0, 1, 2])


@case(
    SKALSKI,
    "01_mysteries_of_neural_networks/03_numpy_neural_net/Numpy deep neural network.ipynb",
    "relu sigmoid relu_backward sigmoid_backward single_layer_forward_propagation single_layer_backward_propagation",
    "dW and db are divided by N",
    "double-average db-mean",
)
def _(m: Any, rng: Any) -> Pair:
    def f(x: Array, W: Array, b: Array) -> Any:
        return m.single_layer_forward_propagation(x, W, b, "sigmoid")[0]

    def back(g: Array, x: Array, W: Array, b: Array) -> Any:
        z = m.single_layer_forward_propagation(x, W, b, "sigmoid")[1]
        return m.single_layer_backward_propagation(g, W, b, z, x, "sigmoid")

    return Pair(f, back, [rng.standard_normal(shape) for shape in ((4, 3), (5, 4), (5, 1))], [0, 1, 2])


@case(SKALSKI, f"{SRC}/activation/softmax.py", "SoftmaxLayer", "g is passed on as it is", "passed-on")
def _(m: Any, rng: Any) -> Pair:
    return passes(m.SoftmaxLayer, rng.standard_normal((3, 4)), "forward_pass", "backward_pass", True)


@case(
    "Tartopoiro/ANN-from-scratch--OCR-for-MNIST-dataset-",
    "ANN/Function.py",
    "softmax",
    "the diagonal only",
    "diagonal-only",
)
def _(m: Any, rng: Any) -> Pair:
    return slope(m.softmax, lambda x: m.softmax(x, derivative=True), rng.standard_normal((4, 3)))


@case(
    "mleiras/si",
    "src/si/metrics/cross_entropy.py",
    "cross_entropy cross_entropy_derivative",
    "p - t",
    "fused-unaveraged",
)
def _(m: Any, rng: Any) -> Pair:
    return loss(m.cross_entropy, m.cross_entropy_derivative, *predictions(rng), wrt=1)


@case("JefferyLiu6/NeuroScratch", "CNN/tool.py", "cross_entropy_loss d_cross_entropy_loss", "no mean", "no-average")
def _(m: Any, rng: Any) -> Pair:
    return loss(m.cross_entropy_loss, m.d_cross_entropy_loss, *predictions(rng), wrt=1)


@case(
    "Mateorovere/CNN-From-Scratch",
    "layers/losses.py",
    "categorical_cross_entropy categorical_cross_entropy_prime",
    "the gradient by the logits",
    "fused-on-p",
)
def _(m: Any, rng: Any) -> Pair:
    return loss(m.categorical_cross_entropy, m.categorical_cross_entropy_prime, *predictions(rng), wrt=1)


@case("vpasta/stockprediction", "utils/loss_functions.py", "mse_loss mse_loss_derivative", ROWS, "batch-only")
def _(m: Any, rng: Any) -> Pair:
    return loss(m.mse_loss, m.mse_loss_derivative, rng.standard_normal((3, 4)), rng.standard_normal((3, 4)), wrt=0)


@case("chiayisu/NLP_and_ML_Algorithm", "Deep_Learning/RNN.py", "tanh RNN", "dh without the transpose", "no-transpose")
def _(m: Any, rng: Any) -> Pair:
    def back(g: Array, x: Array, h: Array, Wx: Array, Wh: Array, b: Array) -> Any:
        cell = m.RNN(Wh, Wx, b)
        cell.forward(x, h)
        dh, dx = cell.backward(g)
        dWh, dWx, db = cell.grads
        return dx, dh, dWx, dWh, db

    inputs = [rng.standard_normal(shape) for shape in ((1, 4), (1, 3), (4, 3), (3, 3), (1, 3))]
    return Pair(lambda x, h, Wx, Wh, b: m.RNN(Wh, Wx, b).forward(x, h), back, inputs, [0, 1, 2, 3, 4])


@case(
    "nilbahaaeddine/M1_CNN",
    "src/classes/dropout.py",
    "Dropout",
    "what is dropped gets g",
    "complement",
)
def _(m: Any, rng: Any) -> Pair:
    mask = (rng.random((4, 6)) < 0.6) / 0.6

    def back(g: Array, x: Array) -> Any:
        layer = m.Dropout(0.6)
        layer.mask = mask
        return layer.backward_propagation(g)

    return Pair(lambda x: x * mask, back, [rng.standard_normal((4, 6))], [0])


@case("LohannExcoffon/CNN_mnist", "MaxPoolLayer.py", "MaxPoolLayer", "`=`, and one mask for all windows", "shared-mask")
def _(m: Any, rng: Any) -> Pair:
    return passes(lambda: m.MaxPoolLayer(kernel_size=3, stride=2), rng.standard_normal((2, 7, 7)))


@case(
    "davidjentjens/computer-vision",
    "T4/activation_functions.py",
    "softmax softmax_prime",
    "the Jacobian at z, not at p",
    "at-z",
)
def _(m: Any, rng: Any) -> Pair:
    return Pair(m.softmax, lambda g, x: m.softmax_prime(x) @ g, [rng.standard_normal(5)], [0])


NUMPY_ML = "ddbourgin/numpy-ml"
NETS = "numpy_ml/neural_nets"


@case(NUMPY_ML, f"{NETS}/losses/losses.py", "WGAN_GPLoss", "both signs of the critic's loss are turned", "sign")
def _(m: Any, rng: Any) -> Pair:
    critic = m.WGAN_GPLoss()
    gradient = rng.standard_normal((5, 3))

    def back(g: Array, fake: Array, real: Array) -> Any:
        return tuple(g * part for part in critic.grad(fake, "C", real, gradient)[:2])

    inputs = [rng.standard_normal(5), rng.standard_normal(4)]
    return Pair(lambda fake, real: critic.loss(fake, "C", real, gradient), back, inputs, [0, 1])


@case(NUMPY_ML, f"{NETS}/activations/activations.py", "GELU", "the density of the exact function beside the other Φ")
def _(m: Any, rng: Any) -> Pair:
    gelu = m.GELU(approximate=True)
    return slope(gelu.fn, gelu.grad, rng.standard_normal((3, 4)))


@case(NUMPY_ML, f"{NETS}/activations/activations.py", "GELU", "the second derivative is another", erf=np.vectorize(erf))
def _(m: Any, rng: Any) -> Pair:
    gelu = m.GELU(approximate=False)
    return slope(gelu.grad, gelu.grad2, rng.standard_normal((3, 4)))


@case(
    NUMPY_ML,
    f"{NETS}/losses/losses.py",
    "CrossEntropy",
    "the gradient by the logits",
    "fused-on-p",
    is_binary=lambda y: True,
    is_stochastic=lambda y: True,
)
def _(m: Any, rng: Any) -> Pair:
    return loss(m.CrossEntropy.loss, m.CrossEntropy.grad, *predictions(rng), wrt=1)


@case(
    "sirius911/multilayer-perceptron",
    "srcs/activations.py",
    "softmax softmax_prime",
    "g is passed on as it is",
    "passed-on",
    not_zero=lambda a: a,
)
def _(m: Any, rng: Any) -> Pair:
    return Pair(m.softmax, lambda g, x: m.softmax_prime(g, x), [rng.standard_normal((3, 4))], [0])


@case(
    "FortiLeiZhang/cs231n",
    "code/cs231n/assignment2/cs231n/layers.py",
    "max_pool_forward_naive max_pool_backward_naive",
    "reads a variable that is not defined",
)
def _(m: Any, rng: Any) -> Pair:
    options = {"pool_height": 2, "pool_width": 2, "stride": 2}

    def back(g: Array, x: Array) -> Any:
        return m.max_pool_backward_naive(g, m.max_pool_forward_naive(x, options)[1])

    return Pair(lambda x: m.max_pool_forward_naive(x, options)[0], back, [rng.standard_normal((2, 3, 6, 4))], [0])
