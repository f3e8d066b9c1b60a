"""What the explorer's page holds, and what it refuses; without a browser."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from helpers.small_models import TYPES, data_for, fitted

import npae
from npae import Autoencoder
from npae.applications.explore import explore, explorer
from npae.applications.explore.encoding import encoded_samples
from npae.applications.explore.page import MODULES, _script, json_in_html
from npae.kernels import reference_kernels
from npae.layers import Dense, Dropout, Layer
from npae.utils.types import Array


def data_of(html: str) -> dict:
    return json.loads(re.search(r'id="data">(.*?)</script>', html, re.DOTALL)[1])


def network(*decoder: Layer) -> Autoencoder:
    return Autoencoder([Dense(3)], [Dense(5), *decoder], loss="mse").build((5,), kernels=reference_kernels())


X = np.random.default_rng(0).random((12, 5), dtype="float32")


JAVASCRIPT = Path(explorer.__file__).with_name("js")


class Own(Layer):
    """A layer of a user."""

    def plan(self, input_shape, arena):
        return input_shape

    def forward(self, x: Array) -> Array:
        return x

    def backward(self, dy: Array) -> Array:
        return dy


def test_a_layer_that_the_page_cannot_compute_is_refused_by_name():
    with pytest.raises(ValueError, match=r"the layer decoder\.1 is of the type Own, which .* cannot compute"):
        explore(network(Own()), X)


def test_a_conditional_model_needs_the_labels_that_it_was_trained_with():
    model = npae.VariationalAutoencoder(
        hidden=(6,), code_size=2, epochs=1, batch_size=4, random_state=0, conditional=True
    )
    model.fit(X, ["b", "a", "c"] * 4)
    with pytest.raises(ValueError, match=r"this model is conditional: .* give the labels of the samples"):
        explore(model, X)
    with pytest.raises(ValueError, match="which the model was not fitted with; it knows 'a', 'b', 'c'"):
        explore(model, X, ["b", "a", "d"] * 4)
    condition = data_of(explore(model, X, ["b", "b", "c"] * 4, first=3).html)["condition"]
    assert condition == {"names": ["a", "b", "c"], "labels": [1, 1, 2]}
    assert data_of(explore(model.network_, X, [2, 1, 0] * 4, first=2).html)["condition"]["labels"] == [2, 1]


def test_layers_of_noise_are_left_out():
    layers = data_of(explore(network(Dropout(0.5)), X).html)["network"]["decoder"]
    assert [layer["type"] for layer in layers] == ["Dense"]


def test_the_page_says_how_many_samples_are_left_out():
    assert "The first 10 of 12 samples; a network of 38 parameters" in explore(network(), X, first=10).html
    assert "<p>12 samples; a network" in explore(network(), X).html


def test_a_page_beyond_the_limit_is_refused_with_what_to_do(monkeypatch):
    monkeypatch.setattr(explorer, "LIMIT", 50_000)
    with pytest.raises(ValueError, match=r"more than .* take fewer samples \(first=\) or .*float16"):
        explore(network(), X)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": [1, 2]}, "2 labels and 12 samples were given"),
        ({"labels": "page.html"}, "labels have shape (), but (n,) is expected; give one for each sample, and the file"),
        ({"weights": "int8"}, 'weights is \'int8\'; expected "float32" or "float16"'),
        ({"first": 0}, "first"),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        explore(network(), X, **options)


def test_more_labels_than_marks_are_refused():
    many = np.tile(X, (10, 1))
    with pytest.raises(ValueError, match="the labels have 120 different values, but the map has 100 marks"):
        explore(network(), many, np.arange(120))


def test_a_weight_beyond_float16_is_refused():
    net = network()
    net.theta[0] = 1e5
    with pytest.raises(ValueError, match=r"a parameter is as large as 1e\+05, beyond 6\.55e\+04"):
        explore(net, X, weights="float16")


@pytest.mark.parametrize(("n", "message"), [(1, "1 parameter of the model is infinite"), (2, "2 parameters .* are")])
def test_weights_that_are_not_finite_are_refused(n, message):
    net = network()
    net.decoder.layers[0].W[0, :n] = np.nan
    with pytest.raises(ValueError, match=message + ".* train it again with a lower learning rate"):
        explore(net, X)


def test_a_name_that_utf8_cannot_write_is_shown_with_question_marks(tmp_path):
    explore(network(), X, ["\udc80", "b"] * 6, tmp_path / "page.html", title="model\udcff\0")
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<title>model?\0</title>" in html
    assert data_of(html)["label_names"] == ["b", "\udc80"]


@pytest.mark.parametrize("n", [1, 5])
def test_one_sample_or_equal_samples_have_a_page(n):
    data = data_of(explore(network(), np.full((n, 5), 0.5, "float32")).html)
    assert data["n"] == n
    assert data["range"] == [0, 1]


def test_images_of_bytes_take_a_byte_a_value_and_others_keep_their_numbers():
    whole = (np.arange(256) / 255).astype("float32").reshape(2, 128)
    assert encoded_samples(whole)["dtype"] == "uint8"
    assert encoded_samples(whole * 0.99)["dtype"] == "float32"
    assert encoded_samples(whole - 1)["dtype"] == "float32"


@pytest.mark.parametrize("text", ["</script>", "<!--<script>", "&lt;", "\u2028", "]]>"])
def test_no_text_ends_the_element_that_holds_the_data(text):
    written = json_in_html({"label": text})
    assert not set("<>&\u2028") & set(written)
    assert json.loads(written) == {"label": text}


def test_labels_titles_and_layer_names_cannot_become_markup():
    hostile = '"><script>alert(1)</script>'
    html = explore(network(), X, [hostile] * 12, title=hostile).html
    assert html.count("<script") == 2
    assert html.count("</script>") == 2
    assert data_of(html)["label_names"] == [hostile]


def test_the_policy_allows_the_page_its_own_script_and_style_alone():
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', explore(network(), X).html)[1]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert "http" not in policy


def test_every_module_of_javascript_is_in_the_page_and_none_can_end_it():
    assert sorted(MODULES) == sorted(path.stem for path in JAVASCRIPT.glob("*.js"))
    assert "</" not in _script()
    for word in ("innerHTML", "insertAdjacentHTML", "eval(", "fetch(", "XMLHttpRequest", "http://", "https://"):
        assert word not in _script(), word


def test_modules_of_javascript_are_small():
    for path in JAVASCRIPT.glob("*.js"):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 250, path.name
        assert max(map(len, lines)) <= 120, path.name
        assert lines[0].startswith("// "), path.name


@pytest.mark.parametrize("kind", TYPES)
def test_the_numbers_of_a_page_are_finite_json(kind):
    data = data_of(explore(fitted(kind), data_for(kind)).html)
    assert data["n"] == 24
    assert ("log_var" in data) == (kind == "variational")


def test_the_noise_of_the_training_is_told():
    told = [data_of(explore(fitted("denoising", noise=n), data_for("denoising")).html) for n in ("gaussian", "masking")]
    assert told[0]["noise_note"] == "The model was trained with Gaussian noise of σ = 0.5."
    assert told[0]["noise_level"] == 0.5
    assert told[1]["noise_note"] == "The model was trained with MaskingNoise; the noise here is Gaussian."
    assert "without noise" in data_of(explore(network(), X).html)["noise_note"]
