"""The picture of how a step's time grows can be read: numbers under the axes lie beside each other."""

from itertools import pairwise

import pytest

pytest.importorskip("matplotlib")

from npae.cli.bench.growth import AXES
from npae.utils import charts


@pytest.mark.parametrize("n_panels", [1, 2, 3, len(AXES)])
def test_the_sizes_under_the_panels_of_growth_lie_beside_each_other(
    n_panels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = []
    monkeypatch.setattr(charts, "_png", lambda figure, dpi: drawn.append(figure) or b"")
    chosen = list(AXES.values())[-n_panels:]
    panels = {axis.title: {"npae": (axis.sizes, [0.1 * size for size in axis.sizes])} for axis in chosen}
    charts.growth(panels, unit="ms a step")
    (figure,) = drawn
    figure.canvas.draw()
    visible = [axes for axes in figure.axes if axes.axison]
    assert [axes.get_title() for axes in visible] == [axis.title.replace(": ", ":\n") for axis in chosen]
    for axes in visible:
        boxes = [label.get_window_extent() for label in axes.get_xticklabels()]
        assert len(boxes) > 3
        assert all(left.x1 < right.x0 for left, right in pairwise(boxes))
