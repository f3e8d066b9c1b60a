"""Options of ``npae bench``: rounds by time, data without zeros, AVX2 on every side, and what does not go together."""

import json
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from test_bench_against import THEN

from npae.cli import VERBS, main, make_parser
from npae.cli.bench import comparison, growth, process, rounds, table, worker
from npae.cli.bench.models import images_for
from npae.cli.bench.process import WorkerProcess, held_back_to_avx2
from npae.cli.bench.rounds import Limit
from npae.kernels import default_kernels, reference_kernels


class Epochs:
    """A worker whose epochs take some seconds of a clock."""

    def __init__(self, clock: SimpleNamespace, seconds: float) -> None:
        self.name, self.clock, self.seconds = "npae", clock, seconds

    def measure(self) -> float:
        self.clock.now += self.seconds
        return self.seconds


@pytest.mark.parametrize(
    ("limit", "seconds", "expected"),
    [
        (Limit(2, 10.0), 0.25, 40),
        (Limit(2, 10.0), 3.0, 4),  # one that has begun ends
        (Limit(2, 10.0), 30.0, 2),
        (Limit(5, 10.0), 30.0, 5),
        (Limit(3), 30.0, 3),
    ],
)
def test_short_epochs_get_as_many_rounds_as_fit_and_long_ones_the_least_number(
    limit: Limit, seconds: float, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(rounds, "time", SimpleNamespace(perf_counter=lambda: clock.now, sleep=lambda _: None))
    side: Any = Epochs(clock, seconds)
    timings = rounds.interleaved([side], limit, lambda _: None, lambda each: each.measure())  # type: ignore[attr-defined]
    assert timings == {"npae": {"seconds": [seconds] * expected}}


@pytest.mark.parametrize(
    ("options", "limit", "of_growth"),
    [
        ([], Limit(2, 10), Limit(2, 0)),
        (["--rounds", "3"], Limit(3, 0), Limit(3, 0)),
        (["--seconds", "4"], Limit(2, 4), Limit(2, 4)),
        (["--rounds", "5", "--seconds", "0.5"], Limit(5, 0.5), Limit(5, 0.5)),
    ],
)
def test_rounds_end_by_time_unless_their_number_is_given(
    options: list[str], limit: Limit, of_growth: Limit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []
    nothing = {"machine": {"threads": 2}, "growth": {"none": []}}
    monkeypatch.setattr(comparison, "compare", lambda *_, **given: asked.append(given) or THEN)
    monkeypatch.setattr(growth, "grow", lambda *_, **given: asked.append(given) or nothing)
    assert main(["bench", "--peers", "none", *options]) == 0
    pytest.importorskip("matplotlib")
    assert main(["bench", "--peers", "none", *options, "--growth", str(tmp_path / "g.png"), "--growth-of", "rows"]) == 0
    assert [given["limit"] for given in asked] == [limit, of_growth]
    assert list(asked[1]["axes"]) == ["rows"]


def test_inverted_digits_have_no_zeros() -> None:
    digits, inverted = images_for("vanilla", 7), images_for("vanilla", 7, inverted=True)
    assert (digits == 0).any()
    assert inverted.dtype == digits.dtype
    assert np.array_equal(inverted, 1 - np.float32(0.9) * digits)
    assert inverted.min() > 0.09


def test_every_side_trains_and_encodes_the_same_images(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    contender = SimpleNamespace(prepare=lambda name, x, **_: seen.append(x), encode=seen.append)
    monkeypatch.setattr(worker, "new_contender", lambda *_: contender)
    side = worker.BenchWorker("torch", 1)
    asked: list[dict[str, Any]] = []
    recorded: Any = SimpleNamespace(name="torch", ask=lambda do, **given: asked.append(given) or 1.0)
    for is_inverted in (True, False):
        rounds.epochs([recorded], "vanilla", 5, Limit(1), inverted=is_inverted)
        side.prepare(**asked[-1 - rounds.WARM_UP - 1])
        side.transform(5)
    first, last = images_for("vanilla", 5, inverted=True), images_for("vanilla", 5)
    assert all(np.array_equal(x, y) for x, y in zip(seen, [first, first, last, last], strict=True))


def test_a_comparison_starts_every_side_alike_with_the_images_and_the_environment_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[tuple[str, Any]] = []
    prepared: list[dict[str, Any]] = []

    @contextmanager
    def side(name: str, threads: int, environment: Any) -> Iterator[Any]:
        started.append((name, environment))
        yield SimpleNamespace(name=name, ask=lambda do, **given: prepared.append(given) or {})

    monkeypatch.setattr(comparison, "WorkerProcess", side)
    monkeypatch.setattr(rounds, "REST", 0)
    environment = {"ATEN_CPU_CAPABILITY": "avx2"}
    alike: dict[str, Any] = {"images": 5, "threads": 1, "epochs_only": True, "say": lambda _: None}
    for is_inverted in (True, False):
        started.clear()
        prepared.clear()
        comparison.compare(["torch"], ["deep"], limit=Limit(1), inverted=is_inverted, environment=environment, **alike)
        assert started == [(name, environment) for name in ("npae", "torch", "sgemm")]
        asked = [given["inverted"] for given in prepared if given]
        assert asked == [is_inverted] * 3


def test_a_table_says_of_data_without_zeros_that_it_is_and_of_digits_not() -> None:
    now = {**THEN, "machine": {**THEN["machine"]}}
    assert "which has no zeros" not in table.table(now)
    assert "training, 5,000 images an epoch, as 1 - 0.9 x, which has no zeros; ms" in table.table(
        {**now, "inverted": True}
    )


@pytest.mark.parametrize(("then", "options"), [(True, []), (False, ["--inverted"])])
def test_data_with_and_without_zeros_is_not_compared(
    then: bool, options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(comparison, "compare", lambda *_, **__: THEN)
    file = tmp_path / "then.json"
    file.write_text(json.dumps({**THEN, "inverted": then}), encoding="utf-8")
    assert main(["bench", "--peers", "none", *options, "--against", str(file)]) == 2
    word = "with" if then else "without"
    assert f"was measured {word} --inverted; measure {word} it, too" in capsys.readouterr().err
    other = ["--inverted"] if then else []
    assert main(["bench", "--peers", "none", *other, "--against", str(file)]) == 0


@pytest.mark.skipif(
    default_kernels() is reference_kernels() or platform.machine() not in ("x86_64", "AMD64"),
    reason="AVX2 is of x86-64, and of compiled kernels",
)
def test_npae_has_vectors_of_32_bytes_when_it_is_held_back_to_avx2() -> None:
    with WorkerProcess("npae", 1, held_back_to_avx2()) as npae:
        assert npae.ask("versions")["vectors of npae"] == "32 bytes"


def test_flags_of_xla_are_kept_beside_those_that_hold_it_back() -> None:
    environment = held_back_to_avx2({"XLA_FLAGS": "--mine"})
    assert environment["XLA_FLAGS"] == "--mine --xla_cpu_max_isa=AVX2"
    assert process.pinned(1, environment)["XLA_FLAGS"].startswith("--mine --xla_cpu_max_isa=AVX2 --xla_cpu_multi")
    assert held_back_to_avx2({})["XLA_FLAGS"] == "--xla_cpu_max_isa=AVX2"


@pytest.mark.parametrize("has_it", [True, False])
def test_avx2_is_refused_where_the_processor_has_none(
    has_it: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    binding = pytest.importorskip("llvmlite.binding")
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(binding, "get_host_cpu_features", lambda: {"avx2": has_it})
    monkeypatch.setattr(comparison, "compare", lambda *_, **given: asked.append(given) or THEN)
    assert main(["bench", "--peers", "none", "--avx2"]) == (0 if has_it else 2)
    assert ("--avx2 needs a processor with AVX2" in capsys.readouterr().err) is not has_it
    assert [given["environment"]["ATEN_CPU_CAPABILITY"] for given in asked] == ["avx2"] * has_it


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--growth-of", "rows"], "give --growth FILE.png as well"),
        (["--growth", "g.png", "--models", "deep"], "--growth has models of its own"),
        (["--growth", "g.png", "--growth-of", "height"], "unknown size 'height'"),
    ],
)
def test_what_does_not_go_together_is_refused_in_a_sentence(
    options: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(comparison, "compare", lambda *_, **__: pytest.fail("it was measured"))
    assert main(["bench", "--peers", "none", *options]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert message in line


@pytest.mark.parametrize("option", [["--seconds", "3"], ["--inverted"]])
def test_what_the_benchmark_of_ranks_has_not_is_refused(option: list[str]) -> None:
    args = make_parser().parse_args(["bench", "--peers", "none", "--ranks", "mpi", *option])
    with pytest.raises(ValueError, match=f"^{option[0]} is not for --ranks; leave it out$"):
        VERBS["bench"].run(args)  # as one of the processes that mpiexec has started
