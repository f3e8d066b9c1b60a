"""Maps show any number and kind of labels, each name as it is."""

import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from npae.utils import charts

pytest.importorskip("matplotlib")


def texts(svg):
    """The texts of a picture."""
    return [element.text for element in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def drawn(labels, **options):
    labels = np.asarray(labels)
    points = np.random.default_rng(0).normal(size=(len(labels), 2))
    return charts.code_map(points, labels, **options)


@pytest.mark.parametrize(
    "labels", [[-1, 1, 1], [0, 7], [3], range(40), ["a b", "<&>", "$x_1$", "_hidden", "中", "x" * 24]]
)
def test_every_label_is_in_the_legend(labels):
    assert {str(label) for label in labels} <= set(texts(drawn(labels)))


def test_each_of_a_hundred_labels_has_a_colour_and_a_marker_of_its_own():
    svg = drawn(range(100)).decode()
    groups = re.findall(
        r'<g id="PathCollection_\d+">.*?</defs>.*?<use xlink:href="#(\w+)"[^>]*style="([^"]*)"', svg, re.DOTALL
    )
    assert len(groups) >= 100
    assert len(set(groups[:100])) == 100


def test_more_labels_than_that_have_a_bar_that_names_some():
    names = [f"${i:03}_$" for i in range(130)]
    found = texts(drawn(names))
    assert "label, 130 in order" in found
    assert {"$000_$", "$129_$"} <= set(found)


def test_without_labels_there_is_no_legend():
    points = np.random.default_rng(0).normal(size=(9, 2))
    assert "label" not in texts(charts.code_map(points))
    assert "label" in texts(charts.code_map(points, np.zeros(9, int)))


def test_axes_are_named():
    found = texts(drawn([0, 1], axes=("t-SNE 1", "t-SNE 2"), what="digit"))
    assert {"t-SNE 1", "t-SNE 2", "digit"} <= set(found)


def test_a_name_with_control_characters_is_one_line_of_plain_text():
    assert r"a\n\tb\x1b" in texts(drawn(["a\n\tb\x1b", "c"]))


def test_a_long_name_loses_its_middle():
    name = "begin" + "x" * 50 + "end"
    [shown] = [text for text in texts(drawn([name, "c"])) if text.startswith("begin")]
    assert len(shown) == 24
    assert shown.endswith("end")
    assert "…" in shown


def test_a_png_is_drawn():
    Image = pytest.importorskip("PIL.Image")
    with Image.open(io.BytesIO(drawn(range(40), suffix=".png"))) as image:
        assert image.format == "PNG"


def test_equal_maps_are_the_same_text():
    assert drawn(range(12)) == drawn(range(12))
