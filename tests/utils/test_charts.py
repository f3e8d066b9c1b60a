"""Charts are drawn with matplotlib's defaults, whatever lies in the working directory."""

import subprocess
import sys

import pytest
from helpers.paths import ROOT

pytest.importorskip("matplotlib")

DRAW = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
from npae.utils import charts
print(charts.losses({{"a": {{"loss": [2.0, 1.0]}}}}))
"""


def test_a_file_of_matplotlib_in_the_working_directory_changes_no_chart(tmp_path):
    def drawn() -> str:
        done = subprocess.run([sys.executable, "-P", "-c", DRAW], cwd=tmp_path, capture_output=True, text=True)
        return done.stdout

    plain = drawn()
    assert "<svg" in plain
    (tmp_path / "matplotlibrc").write_text("figure.facecolor: red\naxes.linewidth: 9\ntext.usetex: True\n")
    assert drawn() == plain


def test_the_users_own_settings_are_as_before_after_a_chart():
    import matplotlib as mpl

    from npae.utils import charts

    with mpl.rc_context({"axes.linewidth": 9}):
        charts.losses({"a": {"loss": [2.0, 1.0]}})
        assert mpl.rcParams["axes.linewidth"] == 9
