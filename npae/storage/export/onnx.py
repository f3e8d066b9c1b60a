"""Export of a model as an ONNX graph. Needs the package onnx.

Images are (N, H, W, C) in npae and (N, C, H, W) in ONNX, so a Transpose is added before and after every convolution,
pooling and upsampling; a runtime's optimiser removes the pairs that cancel.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from npae.layers import (
    AveragePool2D,
    Conv2D,
    Dense,
    Flatten,
    Layer,
    LeakyReLU,
    MaxPool2D,
    ReLU,
    Reparameterization,
    Reshape,
    Sigmoid,
    Softplus,
    Tanh,
    TiedDense,
    UpSample2D,
)
from npae.network.autoencoder import Autoencoder
from npae.storage.export.inference_layers import decoding, encoding, unknown
from npae.utils.errors import MissingExtraError
from npae.utils.files import atomic_write
from npae.utils.types import Array, Shape
from npae.utils.version import __version__

OPSET, IR = 17, 8  # of 2021, so that older runtimes read them too
PARTS = ("both", "encoder", "decoder")
ELEMENTWISE: dict[type[Layer], str] = {ReLU: "Relu", Sigmoid: "Sigmoid", Tanh: "Tanh", Softplus: "Softplus"}


def export_onnx(network: Autoencoder, path: str | Path, *, part: str = "both") -> None:
    """Write a built network as ONNX, in float32, for any number of samples.

    Parameters
    ----------
    network : Autoencoder
        ``model.network_`` of a fitted estimator.
    path : str or Path
        Usually with the suffix ``.onnx``.
    part : {"both", "encoder", "decoder"}, default "both"
        "encoder": from ``samples`` to ``codes``; "decoder": from ``codes`` to ``reconstructions``; "both": from
        ``samples`` to both.

    Raises
    ------
    MissingExtraError
        If the package onnx is not installed.
    ValueError
        If ``part`` is none of these, or the network has user-defined layers.

    Examples
    --------
    >>> import onnx
    >>> from npae import Autoencoder
    >>> from npae.layers import Dense
    >>> from npae.storage.export import export_onnx
    >>> export_onnx(Autoencoder([Dense(2)], [Dense(5)], loss="mse").build((5,)), "net.onnx", part="encoder")
    >>> [output.name for output in onnx.load("net.onnx").graph.output]
    ['codes']
    """
    if find_spec("onnx") is None:
        raise MissingExtraError("ONNX needs its package, which is not installed; pip install 'npae[onnx]'")
    if part not in PARTS:
        raise ValueError(f"part is {part!r}; expected one of {', '.join(PARTS)}")
    import onnx

    model = _model(network, part)
    onnx.checker.check_model(model, full_check=True)
    with atomic_write(path) as file:
        file.write(model.SerializeToString())


def _model(network: Autoencoder, part: str) -> Any:
    from onnx import TensorProto, helper

    graph = _Graph()
    inputs, outputs = [], []
    value = "samples" if part != "decoder" else "codes"
    shape = network.input_shape if part != "decoder" else network.code_shape
    inputs.append(helper.make_tensor_value_info(value, TensorProto.FLOAT, ["n", *shape]))
    if part != "decoder":
        for layer in encoding(network):
            value = graph.layer(layer, value)
        value = graph.add("Identity", value, to="codes")
        outputs.append(helper.make_tensor_value_info("codes", TensorProto.FLOAT, ["n", *network.code_shape]))
    if part != "encoder":
        for layer in decoding(network):
            value = graph.layer(layer, value)
        graph.add("Sigmoid" if network.loss.on_logits else "Identity", value, to="reconstructions")
        outputs.append(helper.make_tensor_value_info("reconstructions", TensorProto.FLOAT, ["n", *network.input_shape]))
    return helper.make_model(
        helper.make_graph(graph.nodes, "autoencoder", inputs, outputs, graph.constants),
        producer_name="npae",
        producer_version=__version__,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR,
    )


class _Graph:
    """Nodes and constants, as they come together; every method returns the name of the value it computes."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, operator: str, *inputs: str, to: str | None = None, **attributes: Any) -> str:
        from onnx import helper

        result = to or f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [result], **attributes))
        return result

    def constant(self, values: Any, dtype: str = "float32") -> str:
        from onnx import numpy_helper

        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values, dtype=dtype), name))
        return name

    def layer(self, layer: Layer, x: str) -> str:
        """y of one layer."""
        match layer:
            case Dense():
                return self.dense(x, layer.W, layer.b)
            case TiedDense():
                return self.dense(x, layer.partner.W.T, layer.c)
            case Reparameterization():
                return self.dense(x, layer.mu_head.W, layer.mu_head.b)
            case Flatten() | Reshape():
                return self.reshape(x, layer.output_shape)
            case LeakyReLU():
                return self.add("LeakyRelu", x, alpha=layer.slope)
            case Conv2D() | MaxPool2D() | AveragePool2D() | UpSample2D():
                channels_first = self.add("Transpose", x, perm=[0, 3, 1, 2])
                return self.add("Transpose", self.spatial(layer, channels_first), perm=[0, 2, 3, 1])
        if type(layer) in ELEMENTWISE:
            return self.add(ELEMENTWISE[type(layer)], x)
        raise unknown(layer, "ONNX")

    def dense(self, x: str, W: Array, b: Array) -> str:
        return self.add("Gemm", x, self.constant(W), self.constant(b))

    def reshape(self, x: str, shape: Shape) -> str:
        return self.add("Reshape", x, self.constant([-1, *shape], "int64"))

    def spatial(self, layer: Conv2D | MaxPool2D | AveragePool2D | UpSample2D, x: str) -> str:
        """y of a layer that looks at neighbours, channels first."""
        if isinstance(layer, UpSample2D):
            return self.enlarged(layer, x)
        window: dict[str, Any] = {
            "kernel_shape": list(layer.kernel_size if isinstance(layer, Conv2D) else layer.size),
            "strides": list(layer.stride),
            "pads": [layer.rows.before, layer.columns.before, layer.rows.after, layer.columns.after],
        }
        if isinstance(layer, Conv2D):
            W = layer.W.transpose(3, 2, 0, 1)  # (kh, kw, in, out) -> (out, in, kh, kw)
            return self.add("Conv", x, self.constant(W), self.constant(layer.b), **window)
        if isinstance(layer, MaxPool2D):
            return self.add("MaxPool", x, **window)
        return self.add("AveragePool", x, count_include_pad=0, **window)

    def enlarged(self, layer: UpSample2D, x: str) -> str:
        """Enlarged by the whole factor, and cut to the size that pooling had reduced."""
        modes: dict[str, dict[str, str]] = {
            "nearest": {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
            "bilinear": {"mode": "linear", "coordinate_transformation_mode": "half_pixel"},
        }
        full = self.add("Resize", x, "", self.constant([1, 1, *layer.factor]), **modes[layer.mode])
        height, width, _ = layer.output_shape
        ends = self.constant([height, width], "int64")
        return self.add("Slice", full, self.constant([0, 0], "int64"), ends, self.constant([2, 3], "int64"))
