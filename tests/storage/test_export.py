"""Exported models (encoder, ONNX, Python) compute what npae computes."""

import importlib.util
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from helpers.small_models import TYPES, data_for, fitted, samples

import npae
from npae.cli import main
from npae.layers import (
    ActivityL1,
    AveragePool2D,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GaussianNoise,
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
from npae.storage.export import export_encoder, export_onnx, export_python
from npae.utils.errors import FileFormatError

EVERY_LAYER = [
    npae.Autoencoder(
        [
            Conv2D(4, (3, 2), stride=(2, 1)),
            LeakyReLU(0.2),
            AveragePool2D(3, stride=2),
            Flatten(),
            Dropout(0.2),
            Dense(9),
        ],
        [
            Dense(20),
            Tanh(),
            Dense(18),
            Reshape((3, 2, 3)),
            UpSample2D((2, 3), output_size=(5, 6)),
            Softplus(),
            Conv2D(2),
        ],
        corrupt=[GaussianNoise(0.1)],
        code=[ActivityL1(0.1)],
    ),
    npae.Autoencoder(
        [Conv2D(3, 3, padding=((0, 1), (2, 0))), ReLU(), MaxPool2D(2), MaxPool2D(3, stride=2, padding=1), Flatten()],
        [Reshape((2, 2, 3)), UpSample2D(3, mode="bilinear", output_size=(5, 6)), Conv2D(2), Sigmoid()],
        code=[Reparameterization(12)],
        loss="bce_on_probabilities",
    ),
    npae.Autoencoder(
        [Flatten(), Dense(7), Dense(3)],
        [TiedDense("encoder.2"), Softplus(), TiedDense("encoder.1"), Reshape((5, 6, 2))],
        loss="mse",
    ),
]


def networks() -> list[npae.Autoencoder]:
    built = [net.build((5, 6, 2), seed=3) for net in EVERY_LAYER]
    for net in built:  # biases start at zero, where a mistake would not show
        net.theta[...] += np.random.default_rng(0).normal(0, 0.1, net.theta.shape).astype("float32")
    return built


CASES = [*((net, samples(6, 5, 6, 2)) for net in networks()), *((fitted(k).network_, data_for(k)) for k in TYPES)]
NAMES = ["pooling", "variational", "tied", *TYPES]


def module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("exported", path)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.mark.parametrize(("net", "x"), CASES, ids=NAMES)
def test_an_exported_encoder_gives_the_models_codes(net, x, tmp_path):
    export_encoder(net, tmp_path / "encoder.safetensors")
    np.testing.assert_allclose(
        npae.load_encoder(tmp_path / "encoder.safetensors").transform(x), net.encode(x), atol=1e-5
    )


@pytest.mark.parametrize(("net", "x"), CASES, ids=NAMES)
def test_an_exported_python_file_encodes_and_decodes(net, x, tmp_path):
    export_python(net, tmp_path / "model.py")
    exported = module(tmp_path / "model.py")
    codes = exported.encode(x)
    assert codes.dtype == "float32"
    np.testing.assert_allclose(codes, net.encode(x), atol=1e-5)
    np.testing.assert_allclose(exported.decode(codes), net.reconstruct(x), atol=1e-5)
    with pytest.raises(
        ValueError, match=r"values of shape \(n, .*\), n at least 1, are expected, but \(.*\) was given"
    ):
        exported.encode(x[..., :1])


@pytest.mark.parametrize(("net", "x"), CASES, ids=NAMES)
def test_an_onnx_graph_encodes_and_decodes(net, x, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    for part in ("both", "encoder", "decoder"):
        export_onnx(net, tmp_path / f"{part}.onnx", part=part)
    both, encoder, decoder = (
        runtime.InferenceSession(tmp_path / f"{part}.onnx", providers=["CPUExecutionProvider"])
        for part in ("both", "encoder", "decoder")
    )
    codes, rebuilt = both.run(None, {"samples": x})
    np.testing.assert_allclose(codes, net.encode(x), atol=1e-5)
    np.testing.assert_allclose(rebuilt, net.reconstruct(x), atol=1e-5)
    np.testing.assert_allclose(encoder.run(None, {"samples": x[:1]})[0], codes[:1], atol=1e-5)
    np.testing.assert_allclose(decoder.run(None, {"codes": codes[:2]})[0], rebuilt[:2], atol=1e-5)


def test_a_model_of_double_precision_is_exported_too(tmp_path):
    model, x = fitted("convolutional", dtype="float64"), data_for("convolutional").astype("float64")
    export_python(model.network_, tmp_path / "model.py")
    np.testing.assert_allclose(module(tmp_path / "model.py").encode(x), model.transform(x), atol=1e-12)
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    export_onnx(model.network_, tmp_path / "model.onnx")
    codes, _ = runtime.InferenceSession(tmp_path / "model.onnx").run(None, {"samples": x.astype("float32")})
    np.testing.assert_allclose(codes, model.transform(x), atol=1e-5)


class Twice(Layer):
    """A layer that does not come with npae."""

    def plan(self, input_shape, arena):
        return input_shape

    def forward(self, x):
        return 2 * x


@pytest.mark.parametrize("export", [export_onnx, export_python])
def test_a_user_defined_layer_is_refused_and_nothing_is_written(export, tmp_path):
    pytest.importorskip("onnx")
    net = npae.Autoencoder([Twice(), Dense(2)], [Dense(4)], loss="mse").build((4,))
    with pytest.raises(ValueError, match=r"layer encoder\.0 is a Twice.*has no counterpart"):
        export(net, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_an_encoder_alone_is_no_model(tmp_path):
    export_encoder(fitted("deep").network_, tmp_path / "e.safetensors")
    with pytest.raises(FileFormatError, match=r"an encoder alone; use npae\.load_encoder"):
        npae.load(tmp_path / "e.safetensors")


def test_the_export_command_writes_to_the_folder_of_the_model(tmp_path, capsys):
    fitted("deep").save(tmp_path / "model.safetensors")
    for goal in ("encoder", "python"):
        assert main(["export", str(tmp_path / "model.safetensors"), "--to", goal]) == 0
    assert {p.name for p in tmp_path.iterdir()} == {"model.safetensors", "model.encoder.safetensors", "model.py"}
    assert "bytes in" in capsys.readouterr().out


def test_an_encoder_starts_without_anything_but_numpy(tmp_path):
    """Imports of all that npae can do without are made to fail; times are in docs/applications.md."""
    model, x = fitted("convolutional"), data_for("convolutional")
    export_encoder(model.network_, tmp_path / "e.safetensors")
    np.save(tmp_path / "x.npy", x)
    script = textwrap.dedent("""
        import sys
        for name in ("numba", "llvmlite", "tqdm", "sklearn", "scipy", "matplotlib", "PIL", "onnx", "pandas"):
            sys.modules[name] = None
        import numpy as np, npae
        np.save("z.npy", npae.load_encoder("e.safetensors").transform(np.load("x.npy")))
    """)
    paths = os.pathsep.join(filter(None, [str(Path(npae.__file__).parent.parent), os.environ.get("PYTHONPATH")]))
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env={**os.environ, "PYTHONPATH": paths}, check=True)
    np.testing.assert_allclose(np.load(tmp_path / "z.npy"), model.transform(x), atol=1e-5)
