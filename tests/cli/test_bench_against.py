"""``npae bench --against``: ratios then and now, what is said of other machines, and exit codes."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from npae.cli import main
from npae.cli.bench import against, comparison
from npae.cli.bench.yardstick import Contender

THEN: dict[str, Any] = {
    "machine": {"cpu": "Some CPU", "processors": 2, "threads": 2, "system": "Linux", "python": "3.11.0", "npae": "1.0"},
    "versions": {"npae": "1.0", "torch": "2.0"},
    "images": 5000,
    "rounds": 2,
    "epochs": {
        "vanilla": {
            "batch": 256,
            "steps": 20,
            "gflop": 1.0,
            "yardstick": {"seconds": [0.1, 0.2]},
            "contenders": {"npae": {"seconds": [0.01, 0.02]}, "torch": {"seconds": [0.04, 0.04]}},
        },
        "deep": {
            "batch": 256,
            "steps": 20,
            "gflop": 1.0,
            "yardstick": {"seconds": [0.1, 0.2]},
            "contenders": {"npae": {"seconds": [0.05, 0.05]}, "torch": {"error": "it broke"}},
        },
    },
}


def changed(**seconds: list[float]) -> dict[str, Any]:
    """The same result with other times of npae, by model."""
    now = copy.deepcopy(THEN)
    for model, times in seconds.items():
        now["epochs"][model]["contenders"]["npae"]["seconds"] = times
    return now


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "then.json"
    path.write_text(json.dumps(THEN), encoding="utf-8")
    return str(path)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the next benchmark measures: npae twice as slow on vanilla, and on deep by its minimum alone."""
    now = changed(vanilla=[0.02, 0.04], deep=[0.1, 0.0])
    now["epochs"]["deep"]["contenders"]["npae"]["seconds"] = [0.04, 0.16]
    monkeypatch.setattr(comparison, "compare", lambda *_, **__: now)
    return now


def test_ratios_of_each_run_are_compared_and_seconds_are_not() -> None:
    rows = against.rows(THEN, changed(vanilla=[0.02, 0.02]))
    assert [(row.model, row.beside, row.summary) for row in rows] == [
        ("vanilla", "torch", "min"),
        ("vanilla", "torch", "median"),
        ("vanilla", "sgemm", "min"),
        ("vanilla", "sgemm", "median"),
        ("deep", "sgemm", "min"),
        ("deep", "sgemm", "median"),
    ]
    assert [round(row.change, 3) for row in rows] == [0.5, 0.75, 0.5, 0.75, 1, 1]
    slower_machine = copy.deepcopy(THEN)
    for entry in slower_machine["epochs"].values():
        for timing in (entry["yardstick"], *entry["contenders"].values()):
            timing["seconds"] = [3 * each for each in timing.get("seconds", [])]
    assert all(row.change == pytest.approx(1) for row in against.rows(THEN, slower_machine))


def test_another_machine_or_version_is_said_and_the_same_is_not() -> None:
    assert against.differences(THEN, THEN) == []
    now = copy.deepcopy(THEN)
    now["machine"]["cpu"], now["versions"] = "Other CPU", {"npae": "1.1", "jax": "0.1"}
    said = ["the processor was Some CPU then and is Other CPU now", "npae was 1.0 then and is 1.1 now"]
    assert against.differences(THEN, now) == said
    assert all(line in against.table("f", THEN, now).splitlines() for line in said)


def test_a_note_in_the_file_is_shown_and_a_file_with_other_types_is_told() -> None:
    assert "says of itself" not in against.table("f", THEN, THEN)
    assert "f says of itself: renew me" in against.table("f", {**THEN, "note": "renew me"}, THEN)
    assert "none of the types" not in against.table("f", THEN, THEN)
    assert "none of the types" in against.table("f", THEN, {**THEN, "epochs": {}})


def test_slower_is_what_is_slower_by_minimum_and_median(
    file: str, measured: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "--peers", "none", "--against", file]) == 0
    out = capsys.readouterr().out.splitlines()
    assert ["vanilla", "sgemm", "min", "10.00", "5.00", "0.50"] in [line.split() for line in out]
    assert main(["bench", "--peers", "none", "--against", file, "--fail-below", "0.7"]) == 1
    assert "slower than 0.7 of what it was: vanilla\n" in capsys.readouterr().err
    assert main(["bench", "--peers", "none", "--against", file, "--fail-below", "0.4"]) == 0
    assert "slower" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--fail-below", "0.9"], "--fail-below is a share of an earlier speed; give --against FILE as well"),
        (["--against", "{file}", "--images", "300"], "was measured with 5000 images, and 300 are asked for"),
        (["--against", "{file}", "--threads", "1"], "was measured with 2 threads, and 1 are asked for"),
        (["--against", "{file}", "--growth", "g.png"], "--against compares epochs"),
        (["--against", "{other}"], "is no result of npae bench --json"),
        (["--against", "{old}"], "holds no epochs of npae beside a yardstick or a peer"),
        (["--against", "missing.json"], "missing.json"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_anything_is_measured(
    options: list[str],
    message: str,
    file: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(comparison, "compare", lambda *_, **__: pytest.fail("it was measured"))
    (tmp_path / "other.json").write_text('["no result"]', encoding="utf-8")
    old = copy.deepcopy(THEN)
    for entry in old["epochs"].values():
        entry["contenders"] = {"npae": entry["contenders"]["npae"]}
        del entry["yardstick"]
    (tmp_path / "old.json").write_text(json.dumps(old), encoding="utf-8")
    given = [option.format(file=file, other="other.json", old="old.json") for option in options]
    assert main(["bench", "--peers", "none", *given]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert message in line


def test_the_yardstick_multiplies_matrices() -> None:
    yardstick = Contender(1)
    yardstick._a, yardstick._b = yardstick._a[:8], yardstick._b[:, :8].copy()
    yardstick._c = yardstick._c[:8, :8].copy()
    assert yardstick.run_epoch() > 0
    assert abs(yardstick._c - yardstick._a.astype("f8") @ yardstick._b).max() < 1e-3
