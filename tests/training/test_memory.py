"""The estimate of training's memory, and the refusal of what does not fit."""

import re
import tracemalloc
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from helpers.small_models import TYPES, data_for, samples, unfitted

import npae
from npae.cli import main
from npae.estimators import fitting
from npae.kernels import reference_kernels
from npae.kernels.execution.thread_team import ThreadTeam
from npae.layers import Dense, UpSample2D
from npae.layers.arena import Arena
from npae.network import checking
from npae.training import trainer
from npae.training.memory_estimate import batch_bytes_needed, check_memory, parameter_bytes_needed
from npae.training.optimizers import Adam
from npae.training.split import split_off
from npae.training.trainer import Training
from npae.utils import memory
from npae.utils.memory import available, format_bytes, require_memory
from npae.utils.validation import check_array, check_samples

GIB = 2**30


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with 300 MiB to spare."""
    monkeypatch.setattr(memory, "available", lambda: 300 * 2**20)


# What there is


def system(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


MACHINE = {"proc/meminfo": "MemTotal:       16000000 kB\nMemAvailable:    8000000 kB\nSwapFree: 1 kB\n"}


def test_free_memory_of_the_machine_excludes_swap(tmp_path: Path) -> None:
    assert available(system(tmp_path, MACHINE)) == 8_000_000 * 1024


def test_a_system_that_does_not_report_memory_gives_none(tmp_path: Path) -> None:
    assert available(tmp_path) is None
    assert available(system(tmp_path, {"proc/meminfo": "MemTotal: 5 kB\n"})) is None


def test_a_control_group_of_version_2_allows_less_and_files_that_it_read_do_not_count(tmp_path: Path) -> None:
    group = {
        "proc/self/cgroup": "0::/user/job\n",
        "sys/fs/cgroup/user/memory.max": "max\n",
        "sys/fs/cgroup/user/memory.current": "9\n",
        "sys/fs/cgroup/user/job/memory.max": "1000000\n",
        "sys/fs/cgroup/user/job/memory.current": "700000\n",
        "sys/fs/cgroup/user/job/memory.stat": "anon 400000\ninactive_file 60000\nactive_file 50000\nfile_dirty 10000\n",
    }
    assert available(system(tmp_path, MACHINE | group)) == 400_000


def test_the_limits_of_parent_groups_apply(tmp_path: Path) -> None:
    group = {
        "proc/self/cgroup": "0::/user/job\n",
        "sys/fs/cgroup/user/memory.max": "500\n",
        "sys/fs/cgroup/user/memory.current": "200\n",
        "sys/fs/cgroup/user/job/memory.max": "max\n",
        "sys/fs/cgroup/user/job/memory.current": "100\n",
    }
    assert available(system(tmp_path, MACHINE | group)) == 300


def test_a_container_of_version_1_sees_its_own_group_at_the_top(tmp_path: Path) -> None:
    group = {
        "proc/self/cgroup": "5:devices:/\n4:cpu,memory:/docker/0123\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "1000\n",
        "sys/fs/cgroup/memory/memory.usage_in_bytes": "1200\n",
        "sys/fs/cgroup/memory/memory.stat": "total_inactive_file 200\ntotal_active_file 100\n",
    }
    assert available(system(tmp_path, MACHINE | group)) == 100


def test_a_full_group_leaves_zero_bytes(tmp_path: Path) -> None:
    group = {
        "proc/self/cgroup": "0::/\n",
        "sys/fs/cgroup/memory.max": "1000\n",
        "sys/fs/cgroup/memory.current": "1200\n",
    }
    assert available(system(tmp_path, group)) == 0


def test_ulimit_leaves_what_the_process_has_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (GIB, GIB) if kind == resource.RLIMIT_AS else (0, 0))
    root = system(tmp_path, MACHINE | {"proc/self/statm": "1000 500 0 0 0 0 0\n"})
    assert available(root) == GIB - 1000 * resource.getpagesize()


def test_free_memory_of_this_system_is_plausible() -> None:
    free = available()
    assert free is None or 2**20 < free < 2**60


def test_figures_are_readable() -> None:
    assert [format_bytes(n) for n in (0, 999, 1000, 1536, 61 * GIB, 10**18)] == [
        "0 bytes",
        "999 bytes",
        "0.977 KiB",
        "1.5 KiB",
        "61 GiB",
        "888 PiB",
    ]


# What is refused


def test_more_than_there_is_is_refused_with_both_figures_and_advice(little: None) -> None:
    require_memory(290 * 2**20, "this", "do that")
    message = "this needs about 61 GiB of sorts, but 300 MiB are free; do that"
    with pytest.raises(MemoryError, match=re.escape(message)):
        require_memory(61 * GIB, "this", "do that", detail=" of sorts")


def test_where_nothing_is_known_only_the_impossible_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda: None)
    require_memory(2**50, "this", "do that")
    with pytest.raises(MemoryError, match=r"this needs about 64 EiB, more than any process can have; do that"):
        require_memory(2**66, "this", "do that")


def test_small_allocations_are_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda: pytest.fail("asked"))
    require_memory(memory.SMALL, "this", "do that")


def test_a_network_too_large_is_refused_before_it_is_allocated() -> None:
    net = npae.Autoencoder([Dense(2**21)], [Dense(2**20)])
    with pytest.raises(MemoryError, match=r"a network of this size needs about 32 TiB, but .* are free; choose"):
        net.build((2**20,))
    assert not hasattr(net.arena, "theta")


def test_a_batch_too_large_is_refused_and_a_smaller_one_still_passes(little: None) -> None:
    layer = Dense(1000).build((1000,), kernels=reference_kernels())
    with pytest.raises(MemoryError, match=r"a batch of 100,000 samples needs about 763 MiB, but 300 MiB are free"):
        layer.arena.resize(100_000)
    assert layer(np.ones((3, 1000), "float32")).shape == (3, 1000)


def test_a_file_that_announces_an_image_of_petabytes_is_refused() -> None:
    layer = UpSample2D(10**7).build((2, 2, 1), kernels=reference_kernels())
    with pytest.raises(MemoryError, match=r"a batch of 1 sample needs about [\d.]+ PiB"):
        layer(np.ones((1, 2, 2, 1), "float32"))


def test_workspaces_that_do_not_fit_are_refused() -> None:
    arena, layer = Arena("float32", reference_kernels()), Dense(1)
    arena.workspace(layer, "table", (2**40,))
    with pytest.raises(MemoryError, match=r"the layers' workspace needs about 4 TiB"):
        arena.resize(1)


def test_data_that_is_converted_batch_by_batch_needs_no_memory_for_a_copy(little: None) -> None:
    x = np.broadcast_to(np.float32(0.5), (200_000, 1000))
    samples = check_samples(x, (1000,), "float32", "X")
    train, _, validation, _ = split_off(samples, None, 0.1, 0, "auto")
    assert validation is not None
    assert train[:2].toarray().shape == validation[:2].toarray().shape == (2, 1000)
    with pytest.raises(
        MemoryError, match=r"an array of codes as float32 needs about 763 MiB, but 300 MiB are free; give fewer"
    ):
        check_array(x, (1000,), "float32", "codes")


@pytest.mark.parametrize("kind", TYPES)
def test_a_training_too_large_is_refused_before_anything_is_allocated(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Arena, "allocate", lambda *_: pytest.fail("allocated"))
    size = {"filters": (2**20,)} if kind == "convolutional" else {"code_size": 2**42 if kind == "vanilla" else 4}
    if kind not in ("vanilla", "convolutional"):
        size["hidden"] = (2**42,)
    message = (
        r"training needs about [\d.]+ [TP]iB \(.* for parameters, .* for a batch\), but .* are free; .*smaller network"
    )
    with pytest.raises(MemoryError, match=message):
        unfitted(kind, **size).fit(data_for(kind))


def test_the_advice_names_the_batch_where_that_is_large(little: None) -> None:
    x = np.zeros((20_000, 1000), "float32")
    with pytest.raises(MemoryError, match=r"lower batch_size \(20000\) or choose a smaller network"):
        npae.VanillaAutoencoder(code_size=2, batch_size=20_000).fit(x)


def test_a_training_object_checks_memory_when_it_is_made_and_when_it_runs(little: None) -> None:
    net = npae.Autoencoder([Dense(3000)], [Dense(6000)], loss="mse").build((6000,))
    with pytest.raises(
        MemoryError, match=r"training needs about \d+ MiB, but 300 MiB are free; choose a smaller network"
    ):
        Training(net, Adam())
    net = npae.Autoencoder([Dense(3)], [Dense(1000)], loss="mse").build((1000,))
    with pytest.raises(MemoryError, match=r"training needs about \d+ MiB, but 300 MiB are free; lower batch_size"):
        Training(net, Adam(), batch_size=30_000).fit(np.zeros((30_000, 1000), "float32"), 1)


@pytest.mark.parametrize("loss", ["auto", "bce", "mse"])
def test_one_fit_estimates_memory_and_checks_the_samples_once(loss: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def counted(module: ModuleType, name: str) -> None:
        original = getattr(module, name)

        def call(*a: Any, **k: Any) -> Any:
            if name != "check_samples" or len(a[0]) == len(x):  # the blocks whose codes are kept are smaller
                calls.append(name)
            return original(*a, **k)

        monkeypatch.setattr(module, name, call)

    x = np.random.default_rng(0).random((200, 5))
    counted(trainer, "check_memory")
    counted(fitting, "check_samples")
    counted(checking, "check_samples")
    model = npae.VanillaAutoencoder(code_size=2, epochs=1, loss=loss)
    model.fit(x)
    assert sorted(calls) == ["check_memory", "check_samples"]
    calls.clear()
    is_usual = checking.Checking._is_usual

    def looked(self: Any, given: Any, **options: Any) -> bool:
        calls.append("_is_usual")
        return is_usual(self, given, **options)

    monkeypatch.setattr(checking.Checking, "_is_usual", looked)
    model.partial_fit(x)
    assert sorted(calls) == ["_is_usual", "check_memory"]  # a small array that is used as it is
    calls.clear()
    npae.VanillaAutoencoder(code_size=2, loss=loss).partial_fit(x)
    assert sorted(calls) == ["check_memory", "check_samples"]


def test_the_command_line_says_it_in_one_sentence(
    little: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--code-size", "100000", "--data", "digits", "--out", str(tmp_path)]
    assert main(["train", "vanilla", *options]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert re.fullmatch(r"npae train: training needs about [\d.]+ GiB .* but 300 MiB are free; .*", said[0])


# The estimate


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """All is allocated and recorded as in training, but no kernel works, so that networks may be large."""

    def no_steps(self: ThreadTeam, *plans_and_numbers: Any) -> int:
        rates, log = plans_and_numbers[4:6]
        log[...] = 0
        return len(rates)

    monkeypatch.setattr(ThreadTeam, "carry_out", lambda self, plan: None)
    monkeypatch.setattr(ThreadTeam, "carry_out_steps", no_steps)
    monkeypatch.setattr(checking, "LARGE", 2**62)  # data is still looked at, by one thread


LARGE: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    "vanilla": ({"code_size": 500, "batch_size": 100}, (300, 1000)),
    "deep": ({"hidden": (300, 200), "batch_size": 1000}, (1100, 500)),
    "convolutional": ({"filters": (16, 32), "batch_size": 32}, (40, 48, 48, 3)),
    "denoising": ({"hidden": (500, 400), "batch_size": 200}, (300, 784)),
    "variational": ({"hidden": (600,), "batch_size": 300, "dtype": "float64"}, (310, 700)),
}


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("kind", LARGE)
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_the_estimate_is_near_what_training_takes(kind: str, n_jobs: int, optimizer: str, idle: None) -> None:
    arguments, shape = LARGE[kind]
    X = samples(shape[0], *shape[1:]).astype(arguments.get("dtype", "float32"))
    unfitted(kind, **arguments, n_jobs=n_jobs, optimizer=optimizer, epochs=1).fit(X)  # kernels are loaded, uncounted
    model = unfitted(kind, **arguments, n_jobs=n_jobs, optimizer=optimizer, epochs=1)
    net = model.make_network(X.shape[1:], "bce", 1)
    net.plan(X.shape[1:], dtype=X.dtype.name)
    remembered = {"adam": ("m", "v"), "sgd": ("velocity",)}[optimizer]
    parameters = parameter_bytes_needed(net, remembered, n_jobs)
    batch = batch_bytes_needed(net, n_jobs, model.batch_size, len(X), 0)
    tracemalloc.start()
    try:
        model.fit(X)
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert taken > 5 * 2**20
    assert 0.9 < (parameters + batch) / taken < 1.25


def test_what_a_built_network_has_is_not_counted_again() -> None:
    net = npae.Autoencoder([Dense(30)], [Dense(50)], loss="mse")
    net.plan((50,))
    planned = parameter_bytes_needed(net, ("m",), 2)
    net.arena.allocate()
    assert planned - parameter_bytes_needed(net, ("m",), 2) == net.theta.nbytes + net.dtheta.nbytes
    assert batch_bytes_needed(net, 2, 8, 100, 0) > 0
    net.arena.resize(4)
    assert batch_bytes_needed(net, 2, 8, 100, 4) == 0
    assert batch_bytes_needed(net, 2, 8, 100, 5) > 5 * net.arena.bytes_per_sample
    assert batch_bytes_needed(net, 2, 8, 100, 10**6) > 256 * net.arena.bytes_per_sample
    check_memory(net, ("m",), n_jobs=2, batch_size=8, n_samples=100, n_validation=50)
