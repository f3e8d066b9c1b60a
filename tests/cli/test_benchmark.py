"""``npae bench``: requests to workers, their errors, and the tables of results."""

import io
import json
import sys

import pytest

from npae.cli import main
from npae.cli.bench import cold_start, growth, libraries, process, rounds, worker
from npae.cli.bench.comparison import compare
from npae.cli.bench.models import MODELS, images_for, new_model, steps_of
from npae.cli.bench.process import WorkerError, WorkerProcess
from npae.cli.bench.table import fastest_peer, geometric_mean, table

MADE_UP = {
    "machine": {"cpu": "Some CPU", "threads": 2, "python": "3.11.0"},
    "versions": {"npae": "1.0", "torch": "2.0"},
    "images": 5000,
    "rounds": 3,
    "epochs": {
        "vanilla": {
            "batch": 256,
            "steps": 20,
            "gflop": 1.0,
            "yardstick": {"seconds": [0.1, 0.2]},
            "contenders": {
                "npae": {"seconds": [0.010, 0.020, 0.030]},
                "torch": {"seconds": [0.040, 0.050, 0.060]},
                "jax": {"seconds": [0.030, 0.060, 0.070]},
            },
        },
        "convolutional": {
            "batch": 128,
            "steps": 40,
            "gflop": 10.0,
            "contenders": {
                "npae": {"seconds": [1.0, 1.0, 1.0]},
                "torch": {"seconds": [3.0, 5.0, 6.0]},
                "sklearn": {"error": "MLPRegressor has no convolutional model"},
            },
        },
    },
    "transform": {"vanilla": {"npae": {"seconds": [0.1]}, "torch": {"seconds": [0.2]}}},
    "latency": {"vanilla": {"npae": {"seconds": [1e-5]}, "torch": {"error": "it broke"}}},
    "start": {"vanilla": {"npae": {"warm": 1.0, "cold": 12.5}, "torch": {"warm": 3.25}, "jax": {"error": "it broke"}}},
    "memory": {"vanilla": {"npae": {"bytes": 300 * 2**20}, "torch": {"error": "it broke"}}},
}


@pytest.fixture
def fake_worker(monkeypatch, tmp_path):
    """Make the worker's module a script with the given lines."""

    def install(source: str) -> None:
        (tmp_path / "fake_worker.py").write_text(source)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setattr(process, "MODULE", "fake_worker")

    return install


def answers_to(*requests: dict) -> list[dict]:
    answers = io.StringIO()
    worker.serve("npae", 1, io.StringIO("".join(json.dumps(request) + "\n" for request in requests)), answers)
    return [json.loads(line) for line in answers.getvalue().splitlines()]


def test_npae_alone_is_compared_from_the_command_line(tmp_path, capsys):
    file = tmp_path / "bench.json"
    options = ["--peers", "none", "--models", "vanilla", "--rounds", "2", "--images", "300", "--epochs-only"]
    assert main(["bench", *options, "--json", str(file)]) == 0
    assert "vanilla" in capsys.readouterr().out
    result = json.loads(file.read_text())
    assert result["epochs"]["vanilla"]["steps"] == 2
    seconds = result["epochs"]["vanilla"]["contenders"]["npae"]["seconds"]
    assert len(seconds) == 2
    assert min(seconds) > 0
    assert result["versions"]["npae"] == result["machine"]["npae"]


def test_a_worker_does_all_that_is_asked():
    prepared, epoch, codes, memory = answers_to(
        {"do": "prepare", "model": "vanilla", "images": 10},
        {"do": "epoch"},
        {"do": "transform", "images": 5, "repeats": 3},
        {"do": "peak_memory"},
    )
    assert prepared == {"value": None}
    assert epoch["value"] > 0
    assert len(codes["value"]) == 3
    assert memory["value"] > 2**20


def test_what_a_worker_cannot_do_is_one_sentence():
    (answer,) = answers_to({"do": "prepare", "model": "vanilla", "images": "many\nimages"})
    assert "\n" not in answer["error"]
    assert answer["error"].startswith("TypeError: ")


def test_a_missing_library_is_one_sentence(monkeypatch):
    monkeypatch.setattr(libraries, "find_spec", lambda library: None)
    assert answers_to({"do": "versions"}) == [{"error": "npae is not installed; pip install 'npae[bench]'"}]


def test_what_a_library_prints_is_no_answer(fake_worker):
    fake_worker(
        "import os, sys\n"
        "from npae.cli.bench import worker\n"
        "class Noisy:\n"
        "    def __init__(self, *_): os.system('echo from a child'); print('from python', flush=True)\n"
        "    def versions(self): print('again', flush=True); return {'noisy': '1'}\n"
        "worker.new_contender = Noisy\n"
        "worker.main(sys.argv[1], int(sys.argv[2]))\n"
    )
    with WorkerProcess("npae", 1) as noisy:
        assert noisy.ask("versions") == {"noisy": "1"}


def test_a_worker_that_ends_is_reported_with_its_last_words(fake_worker):
    fake_worker("import sys\ninput()\nsys.exit('the library gave up')\n")
    with WorkerProcess("npae", 1) as ending:
        for _ in range(2):  # and again when it is asked again
            with pytest.raises(WorkerError, match=r"^ended with status 1: the library gave up$"):
                ending.ask("epoch")


def test_a_crash_leaves_the_rest_of_the_comparison_whole(fake_worker):
    fake_worker("input()\n")
    result = compare(
        ["torch"],
        ["vanilla", "convolutional"],
        limit=rounds.Limit(1),
        images=300,
        threads=1,
        epochs_only=False,
        say=lambda line: None,
    )
    assert result["epochs"]["vanilla"]["contenders"]["torch"] == {"error": "ended with status 0"}
    assert list(result["memory"]) == ["vanilla", "convolutional"]
    text = table(result)
    assert "ended with status 0" in text
    assert "Traceback" not in text


class Scripted:
    """A worker that answers from a list; an error is raised."""

    def __init__(self, name, *answers):
        self.name, self.answers, self.asked = name, list(answers), 0

    def measure(self):
        self.asked += 1
        answer = self.answers[self.asked - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_rounds_skip_the_warm_up_and_failed_contenders():
    good = Scripted("good", 9, 9, 1, 2, 3)
    bad = Scripted("bad", 9, 9, 1, WorkerError("it broke"))
    timings = rounds.interleaved([good, bad], rounds.Limit(3), lambda worker: None, Scripted.measure)
    assert timings == {"good": {"seconds": [1, 2, 3]}, "bad": {"error": "it broke"}}


def test_first_step_and_memory_of_a_new_process(monkeypatch):
    asked = []

    class Quick:
        def __init__(self, name, threads, environment=None):
            self.environment = environment

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def ask(self, do, **arguments):
            asked.append((do, bool(self.environment)))
            return 7

    monkeypatch.setattr(cold_start, "WorkerProcess", Quick)
    start = cold_start.first_step("npae", "vanilla", 1, with_cold=True)
    assert start["warm"] <= start["cold"] + 1
    assert asked.count(("epoch", True)) == 1  # only the cold one has a cache of its own
    assert cold_start.peak_memory("npae", 1, model="vanilla", images=10) == {"bytes": 7}


def test_all_sides_get_the_same_number_of_threads():
    assert process.pinned(3)["OMP_NUM_THREADS"] == process.pinned(3)["NPROC"] == "3"
    assert "true" in process.pinned(2)["XLA_FLAGS"]
    assert "false" in process.pinned(1)["XLA_FLAGS"]


def test_flags_of_xla_that_were_given_are_kept(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_max_isa=AVX2")
    assert process.pinned(1)["XLA_FLAGS"] == "--xla_cpu_max_isa=AVX2 --xla_cpu_multi_thread_eigen=false"


@pytest.mark.parametrize("option", ["--peers", "--models"])
def test_an_unknown_name_is_one_sentence(option, capsys):
    assert main(["bench", option, "theano"]) == 2
    (line,) = capsys.readouterr().err.strip().split("\n")
    assert "unknown" in line
    assert "'theano'" in line


def test_where_no_peer_is_installed_the_extra_is_named(monkeypatch, capsys):
    monkeypatch.setattr(libraries, "find_spec", lambda library: None)
    assert main(["bench", "--peers", "torch,jax"]) == 2
    assert "pip install 'npae[bench]'" in capsys.readouterr().err


def test_every_contender_names_its_module_and_only_workers_import_it():
    assert set(libraries.PEERS) == {"torch", "torch-compile", "jax", "sklearn"}
    assert "torch" not in sys.modules or "npae.cli.bench.peers.torch_eager" not in sys.modules


@pytest.mark.parametrize("name", MODELS)
def test_every_model_fits_its_images(name):
    images = images_for(name, 5003)
    assert len(images) == 5003
    assert (images[:3] == images[5000:]).all()
    model = new_model(name)
    net = model.make_network(images.shape[1:], "bce", 1)
    net.plan(images.shape[1:])
    assert steps_of(name, 5003) * model.batch_size >= 5003


def test_the_ratio_is_to_the_fastest_peer():
    vanilla = MADE_UP["epochs"]["vanilla"]["contenders"]
    assert fastest_peer(vanilla, min) == ("jax", pytest.approx(3.0))
    assert fastest_peer({"npae": {"seconds": [1.0]}}, min) is None
    assert geometric_mean([1.0, 4.0]) == pytest.approx(2.0)


def test_the_table_holds_times_ratios_and_failures():
    text = table(MADE_UP)
    assert "Some CPU, 2 threads; Python 3.11.0, npae 1.0, torch 2.0" in text
    rows = [line.split() for line in text.splitlines()]
    assert ["vanilla", "256", "npae", "10.0", "20.0", "0.50", "1.00", "3"] in rows
    assert ["sklearn", "MLPRegressor", "has", "no", "convolutional", "model"] in rows
    assert ["vanilla", "3.00", "jax", "2.50", "torch"] in rows
    assert ["convolutional", "3.00", "torch", "5.00", "torch"] in rows
    assert ["geometric", "mean", "3.00", "3.54"] in rows
    # 1 GFLOP in 10 ms beside 17.2 in 100; in 20 ms beside 17.2 in 150
    assert ["vanilla", "1.00", "100.0", "171.8", "58.2%", "50.0", "114.5", "43.7%"] in rows
    assert ["convolutional", "10.00", "–", "–"] in rows  # nothing beside it
    assert "npae 100.0, torch 200.0; torch / npae 2.00" in text
    assert "npae 1.00 (cold 12.50), torch 3.25, jax it broke" in text
    assert "npae 300, torch it broke" in text


def test_a_table_without_peers_has_no_ratio():
    alone = {
        **MADE_UP,
        "epochs": {"vanilla": {"batch": 256, "steps": 2, "gflop": 1.0, "contenders": {"npae": {"seconds": [1.0]}}}},
    }
    rows = [line.split() for line in table(alone).splitlines()]
    assert ["geometric", "mean", "–", "–"] in rows


TINY = {
    "batch": growth.GrowthAxis("batch: small", "vanilla", (2,), lambda size: {}, None),
    "side": growth.GrowthAxis(
        "side of an image", "convolutional", (4, 32), lambda size: {"side": size, "filters": [2, 2]}, 2
    ),
    "rows": growth.GrowthAxis("rows", "vanilla", (9,), lambda size: {"images": size, "side": 3}, 4),
}


def test_a_steps_time_is_measured_while_one_size_grows(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(rounds, "REST", 0)
    monkeypatch.setattr(growth, "AXES", TINY)
    png, file = tmp_path / "growth.png", tmp_path / "growth.json"
    options = ["--peers", "none", "--rounds", "1", "--threads", "1"]
    assert main(["bench", *options, "--growth", str(png), "--json", str(file)]) == 0
    result = json.loads(file.read_text())
    assert list(result["memory"]) == list(result["growth"]) == [axis.title for axis in TINY.values()]
    for title, _, expected, *_ in TINY.values():
        sizes, times = growth.curves(result)[title]["npae"]
        assert sizes == list(expected)
        assert min(times) > 0
        assert all(len(p["contenders"]["npae"]["seconds"]) == growth.VISITS for p in result["growth"][title])
        ends = result["memory"][title]
        assert list(ends) == list(map(str, expected))
        assert all(peaks["npae"]["bytes"] > 2**20 for peaks in ends.values())
    assert [point["steps"] for point in result["growth"]["rows"]] == [3]  # an epoch has all the rows
    assert png.read_bytes().startswith(b"\x89PNG")
    out = capsys.readouterr().out
    assert "side" in out
    assert "peak memory of a new process that trains an epoch; MiB" in out


def test_growth_leaves_out_unsupported_contenders(tmp_path):
    points = [
        {"size": 2, "steps": 10, "contenders": {"npae": {"seconds": [0.02, 0.01]}, "sklearn": {"error": "it cannot"}}},
        {"size": 4, "steps": 10, "contenders": {"npae": {"error": "it broke"}, "sklearn": {"error": "it cannot"}}},
    ]
    result = {"machine": {"threads": 1}, "growth": {"batch": points}}
    assert growth.curves(result) == {"batch": {"npae": ([2], [1.0]), "sklearn": ([], [])}}
    rows = [line.split() for line in growth.table(result).splitlines()]
    assert ["npae", "1.000", "–"] in rows
    assert ["sklearn", "it", "cannot"] in rows


def test_images_of_other_sizes_are_cut_or_repeated():
    whole = images_for("convolutional", 2)
    assert (images_for("convolutional", 2, 10) == whole[:, :10, :10]).all()
    assert (images_for("convolutional", 2, 40)[:, 28:, 28:] == whole[:, :12, :12]).all()
