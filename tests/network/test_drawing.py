"""The picture of a network is well-formed SVG, and says what the network is."""

import re
from xml.etree import ElementTree

import pytest

from npae import Autoencoder
from npae.layers import ActivityL1, Conv2D, Dense, GaussianNoise, ReLU, TiedDense
from npae.network.recipes import RECIPES, variational


def texts(drawing: str) -> list[str]:
    return [e.text for e in ElementTree.fromstring(drawing).iter("{http://www.w3.org/2000/svg}text")]


def widths(drawing: str) -> list[float]:
    bars = ElementTree.fromstring(drawing).findall("{http://www.w3.org/2000/svg}rect")[1:]  # the first is the ground
    return [float(bar.get("width")) for bar in bars]


@pytest.mark.parametrize("name", RECIPES)
def test_every_type_has_a_picture_with_the_code_and_both_ends(name):
    net = RECIPES[name]((28, 28), code_size=7)
    net.plan((28, 28))
    seen = texts(net.draw())
    assert seen[0].startswith("input x")
    assert seen[1] == "28 × 28" == seen[-1]
    assert seen[seen.index(next(t for t in seen if t.endswith("code z"))) + 1] == "7 values"


def test_a_bar_is_wider_the_larger_the_output():
    net = Autoencoder([Dense(12), ReLU(), Dense(3)], [Dense(12), Dense(40)], loss="mse").build((40,))
    bars = widths(net.draw())
    assert bars[0] == bars[-1] == max(bars)
    assert bars[2] == min(bars)
    assert bars[1] == bars[3]


def test_the_text_of_a_bar_names_the_layer_and_what_is_joined_to_it():
    net = Autoencoder(
        [Dense(3), ReLU()], [TiedDense("encoder.0")], loss="mse", corrupt=[GaussianNoise(0.5)], code=[ActivityL1(0.1)]
    ).build((8,))
    assert texts(net.draw())[::2] == [
        "input x",
        "GaussianNoise 0.5",
        "Dense 3, ReLU",
        "ActivityL1 0.1, code z",
        "TiedDense (weights of encoder.0)",
        "reconstruction x̂",
    ]


def test_strides_and_the_sigmoid_of_the_loss_are_shown():
    net = Autoencoder([Conv2D(4, 3, stride=2)], [Conv2D(1, (1, 3)), ReLU()], loss="bce")
    with pytest.raises(AttributeError, match="build"):
        net.draw()
    net = Autoencoder([Conv2D(4, 3, stride=(1, 1)), Conv2D(2, (1, 3), stride=1)], [Conv2D(1, 1)], loss="bce")
    net.plan((5, 6, 1))
    seen = texts(net.draw())
    assert "Conv2D 4, 3×3" in seen
    assert "Conv2D 2, 1×3, code z" in seen
    assert "reconstruction x̂ = σ(output)" in seen


def test_notebooks_show_the_picture_and_text_cannot_break_it():
    class Odd(Dense):
        pass

    Odd.__name__ = "<b>&"
    drawing = Autoencoder([Odd(2)], [Dense(5)], loss="mse").build((5,)).draw()
    assert drawing._repr_svg_() == drawing
    assert "<b>& 2, code z" in texts(drawing)


def test_the_picture_fits_its_frame():
    net = variational((28, 28), filters=(16, 32))
    net.plan((28, 28))
    root = ElementTree.fromstring(net.draw())
    width, height = map(float, root.get("viewBox").split()[2:])
    for bar in root.iter("{http://www.w3.org/2000/svg}rect"):
        assert 0 <= float(bar.get("x", 0)) <= float(bar.get("x", 0)) + float(bar.get("width")) <= width
    assert all(float(text.get("y")) < height for text in root.iter("{http://www.w3.org/2000/svg}text"))
    assert max(len(t) for t in re.findall(r">([^<]+)</text>", net.draw())) <= 36
