"""Imported weights of PyTorch and Keras compute the same in npae."""

import numpy as np
import pytest

import npae
from npae.layers import Conv2D, Dense, Flatten, MaxPool2D, ReLU, Reparameterization, Reshape, TiedDense, UpSample2D
from npae.storage import safetensors
from npae.storage.import_weights import import_weights
from npae.utils.errors import FileFormatError

IMAGES = np.random.default_rng(0).random((3, 6, 8, 2), dtype="float32")  # (n, h, w, c)


def convolutional() -> npae.Autoencoder:
    return npae.Autoencoder(
        [Conv2D(3), ReLU(), MaxPool2D(2), Flatten(), ReLU(), Dense(5)],
        [Dense(36), ReLU(), Reshape((3, 4, 3)), UpSample2D(2), Conv2D(2)],
        loss="mse",
    ).build((6, 8, 2))


def dense() -> npae.Autoencoder:
    return npae.Autoencoder([Flatten(), Dense(5)], [Dense(96), Reshape((6, 8, 2))], loss="mse").build((6, 8, 2))


NAMES = {
    "convolutional": {
        "encoder.0": "encoder.0",
        "encoder.5": "encoder.5",
        "decoder.0": "decoder.0",
        "decoder.4": "decoder.4",
    },
    "dense": {"encoder.1": "encoder.1", "decoder.0": "decoder.0"},
}


def torch_names(kind: str) -> dict[str, str]:
    return {
        f"{ours}.{a}": f"{theirs}.{b}"
        for ours, theirs in NAMES[kind].items()
        for a, b in (("W", "weight"), ("b", "bias"))
    }


def torch_module(kind: str):
    torch = pytest.importorskip("torch")
    nn = torch.nn
    if kind == "dense":
        encoder = nn.Sequential(nn.Flatten(), nn.Linear(96, 5))
        decoder = nn.Sequential(nn.Linear(5, 96), nn.Unflatten(1, (2, 6, 8)))
    else:
        encoder = nn.Sequential(
            nn.Conv2d(2, 3, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.ReLU(), nn.Linear(36, 5)
        )
        decoder = nn.Sequential(
            nn.Linear(5, 36),
            nn.ReLU(),
            nn.Unflatten(1, (3, 3, 4)),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(3, 2, 3, padding=1),
        )
    return nn.ModuleDict({"encoder": encoder, "decoder": decoder})


@pytest.mark.parametrize("kind", ["dense", "convolutional"])
def test_weights_of_torch_give_torchs_codes_and_reconstructions(kind, tmp_path):
    torch = pytest.importorskip("torch")
    theirs = torch_module(kind)
    pytest.importorskip("safetensors.torch").save_file(theirs.state_dict(), tmp_path / "w.safetensors")
    net = {"dense": dense, "convolutional": convolutional}[kind]()
    import_weights(net, tmp_path / "w.safetensors", torch_names(kind), source="torch")
    with torch.no_grad():
        codes = theirs["encoder"](torch.from_numpy(IMAGES.transpose(0, 3, 1, 2).copy()))
        rebuilt = theirs["decoder"](codes).numpy().transpose(0, 2, 3, 1)
    np.testing.assert_allclose(net.encode(IMAGES), codes.numpy(), atol=1e-5)
    np.testing.assert_allclose(net.reconstruct(IMAGES), rebuilt, atol=1e-5)


def as_torch_lays_it_out(net: npae.Autoencoder) -> dict[str, np.ndarray]:
    """The convolutional network's own weights, by the table in the module's docstring and nothing else."""
    arrays = {name: value.copy() for name, value, _ in net.arena.parameters()}
    result = {}
    for name, a in arrays.items():
        if a.ndim == 4:
            a = a.transpose(3, 2, 0, 1)
        elif name == "encoder.5.W":
            a = a.reshape(3, 4, 3, 5).transpose(3, 2, 0, 1).reshape(5, 36)  # (h, w, c, out) -> (out, c, h, w)
        elif name == "decoder.0.W":
            a = a.reshape(5, 3, 4, 3).transpose(3, 1, 2, 0).reshape(36, 5)
        elif name == "decoder.0.b":
            a = a.reshape(3, 4, 3).transpose(2, 0, 1).ravel()
        result[torch_names("convolutional")[name]] = np.ascontiguousarray(a)
    return result


def shaken(net: npae.Autoencoder) -> npae.Autoencoder:
    for _, value, _ in net.arena.parameters():
        value[...] = np.random.default_rng(1).normal(size=value.shape)
    return net


def test_the_layout_of_torch_is_converted(tmp_path):
    theirs, ours = shaken(convolutional()), convolutional()
    safetensors.write(tmp_path / "w.safetensors", as_torch_lays_it_out(theirs), {})
    import_weights(ours, tmp_path / "w.safetensors", torch_names("convolutional"), source="torch")
    np.testing.assert_array_equal(ours.theta, theirs.theta)


def test_the_layout_of_keras_is_that_of_npae(tmp_path):
    theirs, ours = shaken(convolutional()), convolutional()
    safetensors.write(tmp_path / "w.safetensors", {f"k/{n}": v for n, v, _ in theirs.arena.parameters()}, {})
    names = {name: f"k/{name}" for name in ours.arena.parameter_shapes()}
    import_weights(ours, tmp_path / "w.safetensors", names, source="keras")
    np.testing.assert_array_equal(ours.theta, theirs.theta)


def test_the_inputs_of_both_heads_of_a_variational_network_are_reordered(tmp_path):
    net = npae.Autoencoder(
        [Conv2D(3), Flatten()], [Dense(96), Reshape((6, 8, 2))], code=[Reparameterization(4)], loss="mse"
    ).build((6, 8, 2))
    shapes = net.arena.parameter_shapes()
    rng = np.random.default_rng(0)
    file = {name: rng.normal(size=shape[::-1]).astype("float32") for name, shape in shapes.items()}
    file["encoder.0.W"] = rng.normal(size=(3, 2, 3, 3)).astype("float32")
    safetensors.write(tmp_path / "w.safetensors", file, {})
    import_weights(net, tmp_path / "w.safetensors", {name: name for name in shapes}, source="torch")
    for head in ("mu", "log_var"):
        W = {name: value for name, value, _ in net.arena.parameters()}[f"code.0.{head}.W"]
        expected = file[f"code.0.{head}.W"].reshape(4, 3, 6, 8).transpose(2, 3, 1, 0).reshape(144, 4)
        np.testing.assert_array_equal(W, expected)


def test_the_bias_of_a_tied_decoder_is_reordered_where_an_image_follows(tmp_path):
    net = npae.Autoencoder([Flatten(), Dense(5)], [TiedDense("encoder.1"), Reshape((6, 8, 2))], loss="mse")
    net.build((6, 8, 2))
    rng = np.random.default_rng(0)
    shapes = net.arena.parameter_shapes()
    file = {name: rng.normal(size=shape[::-1]).astype("float32") for name, shape in shapes.items()}
    safetensors.write(tmp_path / "w.safetensors", file, {})
    import_weights(net, tmp_path / "w.safetensors", {name: name for name in shapes}, source="torch")
    c = net.decoder.layers[0].c
    np.testing.assert_array_equal(c, file["decoder.0.c"].reshape(2, 6, 8).transpose(1, 2, 0).ravel())


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda names, arrays: names.pop("encoder.0.W"), "names lacks 'encoder.0.W'"),
        (lambda names, arrays: names.update(x="encoder.0.weight"), "names has 'x', which the network has not"),
        (lambda names, arrays: arrays.pop("encoder.0.weight"), "has no 'encoder.0.weight'; it has"),
        (lambda names, arrays: arrays.update({"decoder.4.bias": np.zeros(3)}), r"has shape \(3,\).* expects \(2,\)"),
        (lambda names, arrays: arrays.update({"decoder.4.bias": np.full(2, np.nan)}), "contains NaN"),
    ],
)
def test_weights_that_do_not_fit_are_refused_and_the_network_is_unchanged(change, expected, tmp_path):
    net = convolutional()
    before = net.theta.copy()
    names, arrays = torch_names("convolutional"), as_torch_lays_it_out(shaken(convolutional()))
    change(names, arrays)
    safetensors.write(tmp_path / "w.safetensors", arrays, {})
    with pytest.raises(ValueError, match=expected):
        import_weights(net, tmp_path / "w.safetensors", names, source="torch")
    np.testing.assert_array_equal(net.theta, before)


@pytest.mark.parametrize(("n", "end"), [(20, "'x29', which"), (21, "'x29' and 1 more, which")])
def test_a_list_of_names_ends_with_their_number_only_where_some_are_left_out(n, end, tmp_path):
    names = torch_names("convolutional") | {f"x{i}": "encoder.0.weight" for i in range(10, 10 + n)}
    safetensors.write(tmp_path / "w.safetensors", as_torch_lays_it_out(convolutional()), {})
    with pytest.raises(ValueError, match=end):
        import_weights(convolutional(), tmp_path / "w.safetensors", names, source="torch")


def test_an_unknown_source_and_a_cut_file_are_refused(tmp_path):
    (tmp_path / "w.safetensors").write_bytes(b"cut")
    with pytest.raises(ValueError, match="'jax'; expected one of torch, keras"):
        import_weights(convolutional(), tmp_path / "w.safetensors", {}, source="jax")
    with pytest.raises(FileFormatError, match="not a complete safetensors file"):
        import_weights(convolutional(), tmp_path / "w.safetensors", {}, source="torch")
