"""npae beside other libraries: anomalies, generation, rebuilding, lines of code and megabytes; prints tables.

::

    python benchmarks/peers.py
    python benchmarks/peers.py --parts rebuilding,lines
    python benchmarks/peers.py --cache results.json   # results that are in this file are not measured again

The peers are scikit-learn (PCA, KernelPCA, MLPRegressor as an autoencoder, IsolationForest), PyOD (AutoEncoder, VAE),
pythae (VAE with its samplers) and the same networks in plain PyTorch; scikit-learn also has the data. Libraries that
are not installed are left out, and said. The programs that are compared are in ``peer_programs.py`` and
``peer_torch.py``. All networks get the same samples, epochs, batch size, learning rate and sizes of layers; the rest is
as each library has it. Figures are means over three seeds, with the range in brackets.

Parts:

anomaly
    Area under the ROC curve on four tables. Half of the inliers train; the others and the outliers are scored. Columns
    of measurements are standardised by the training half, pixels lie from 0 to 1.
generation
    Fréchet distance from samples to one half of the 5,000 digits of npae, in features of a small classifier that
    learned their labels; beside it that of the other half. All 5,000 train the models.
rebuilding
    Mean squared error of 1,000 test digits, rebuilt from codes of 16 values and cut to [0, 1].
lines
    Lines of the programs, imports included, without blank lines, comments and docstrings.
megabytes
    Size of site-packages after ``pip install`` into a new environment, without pip and setuptools. ``--torch`` says
    which PyTorch (default ``torch``): its build for Linux on PyPI brings libraries for GPUs that one for CPUs lacks.
"""

import argparse
import ast
import importlib
import inspect
import json
import logging
import subprocess
import sys
import tempfile
import textwrap
import time
import venv
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import peer_programs as programs

from npae import VariationalAutoencoder
from npae.applications.anomaly import auroc
from npae.applications.frechet import features_for, frechet_distance
from npae.datasets import load_digits
from npae.utils.types import Array

SEEDS = (0, 1, 2)
ROOT = Path(__file__).resolve().parent.parent
# What each library is imported as, where it is not called the same; the torch programs import torch themselves.
MODULES = {"npae": "npae", "scikit-learn": "sklearn", "PyOD": "pyod", "pythae": "pythae", "PyTorch": "torch"}
NEEDS = {"PyOD": ("torch",), "pythae": ("torch",)}


class Settings(NamedTuple):
    """What all networks of a part have in common."""

    code_size: int
    hidden: tuple[int, ...]
    epochs: int
    batch_size: int
    seed: int = 0


ANOMALY = Settings(code_size=4, hidden=(64, 32), epochs=200, batch_size=32)
GENERATION = Settings(code_size=16, hidden=(512,), epochs=15, batch_size=100)
REBUILDING = Settings(code_size=16, hidden=(256, 128), epochs=30, batch_size=100)


class Program(NamedTuple):
    """One row of a table: a function of ``peer_programs`` or ``peer_torch``, and other functions whose lines count."""

    library: str
    title: str
    function: str
    helpers: tuple[str, ...] = ()
    is_variant: bool = False  # of another program, so that its lines are not told

    @property
    def module(self) -> Any:
        return importlib.import_module("peer_torch") if self.library == "PyTorch" else programs

    @property
    def run(self) -> Callable[..., Any]:
        found: Callable[..., Any] = getattr(self.module, self.function)
        return found

    def n_lines(self) -> int:
        n = sum(count_lines(inspect.getsource(getattr(self.module, name))) for name in (self.function, *self.helpers))
        if self.library == "PyTorch":  # imports at the top of the module, for all its programs
            tree = ast.parse(inspect.getsource(self.module))
            n += sum(isinstance(node, (ast.Import, ast.ImportFrom)) for node in tree.body)
        return n


def count_lines(source: str) -> int:
    """Lines of a function's source that hold code, without its head, comments and docstring."""
    (function,) = ast.parse(textwrap.dedent(source)).body
    body = function.body[ast.get_docstring(function) is not None :]
    lines = source.splitlines()[body[0].lineno - 1 :]
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in lines)


TORCH_HELPERS = ("stack", "train_by")
PROGRAMS: dict[str, list[Program]] = {
    "anomaly": [
        Program("npae", "deep, reconstruction", "npae_reconstruction_score"),
        Program("npae", "deep, joint", "npae_joint_score"),
        Program("npae", "variational, joint", "npae_variational_joint_score"),
        Program("npae", "variational, elbo", "npae_elbo_score"),
        Program("scikit-learn", "IsolationForest", "sklearn_forest_score"),
        Program("scikit-learn", "PCA", "sklearn_pca_score", ("sklearn_pca",)),
        Program("scikit-learn", "KernelPCA", "sklearn_kernel_pca_score", ("sklearn_kernel_pca",)),
        Program("scikit-learn", "MLPRegressor", "sklearn_mlp_score", ("sklearn_mlp",)),
        Program("PyOD", "AutoEncoder", "pyod_autoencoder_score"),
        Program("PyOD", "AutoEncoder, its own layers", "pyod_own_autoencoder_score", is_variant=True),
        Program("PyOD", "VAE", "pyod_vae_score"),
        Program("PyTorch", "the deep network", "score", (*TORCH_HELPERS, "rebuild")),
    ],
    "generation": [
        Program("npae", "variational", "npae_generate"),
        Program("pythae", "VAE", "pythae_generate"),
        Program("PyTorch", "the variational network", "generate", TORCH_HELPERS),
    ],
    "rebuilding": [
        Program("npae", "deep", "npae_deep"),
        Program("npae", "deep, squared error", "npae_deep_squared", is_variant=True),
        Program("npae", "vanilla", "npae_vanilla"),
        Program("scikit-learn", "PCA", "sklearn_pca"),
        Program("scikit-learn", "KernelPCA", "sklearn_kernel_pca"),
        Program("scikit-learn", "MLPRegressor", "sklearn_mlp"),
        Program("PyTorch", "the deep network", "rebuild", TORCH_HELPERS),
        Program("PyTorch", "the deep network, squared error", "rebuild_squared", is_variant=True),
    ],
}


def is_installed(library: str) -> bool:
    return all(find_spec(module) is not None for module in (MODULES[library], *NEEDS.get(library, ())))


def installed(part: str) -> list[Program]:
    return [program for program in PROGRAMS[part] if is_installed(program.library)]


class Cache:
    """Results by name, kept in a json file where one is given."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._kept: dict[str, Any] = json.loads(path.read_text("utf-8")) if path is not None and path.exists() else {}

    def get(self, name: str, measure: Callable[[], Any]) -> Any:
        if name not in self._kept:
            start = time.process_time()
            self._kept[name] = measure()
            print(f"{name}: {time.process_time() - start:.0f} s of processor time", file=sys.stderr, flush=True)
            if self._path is not None:
                self._path.write_text(json.dumps(self._kept, indent=1), "utf-8")
        return self._kept[name]


def quietly(program: Program, *arguments: Any) -> Any:
    """Run a program without its warnings (few epochs have not converged), log and progress bars."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            warnings.simplefilter("ignore")
            return program.run(*arguments)
    finally:
        logging.disable(logging.NOTSET)


# The parts: each returns the head of its table and its rows, a row being (library, title, values of each column)

Rows = list[tuple[str, str, list[Any]]]


class Table(NamedTuple):
    """Samples (n, columns) for anomaly detection."""

    inliers: Array
    outliers: Array
    are_pixels: bool


def anomaly_tables() -> dict[str, Table]:
    from sklearn import datasets

    x, y = datasets.load_breast_cancer(return_X_y=True)
    tables = {"wdbc, benign": Table(x[y == 1], x[y == 0], False)}
    x, y = datasets.load_wine(return_X_y=True)
    tables["wine, second kind"] = Table(x[y == 1], x[y != 1], False)
    x, y = datasets.load_digits(return_X_y=True)
    tables["8×8 digits, 4"] = Table(x[y == 4] / 16, x[y != 4] / 16, True)
    digits = load_digits()
    x, y = digits.train_images.reshape(-1, 784), digits.train_labels
    tables["28×28 digits, all but 4"] = Table(x[y != 4][:1000], x[y == 4], True)
    return tables


def split(table: Table, seed: int) -> tuple[Array, Array, Array]:
    """Training inliers, test inliers and outliers, in float32."""
    order = np.random.default_rng(seed).permutation(len(table.inliers))
    train, test = np.array_split(table.inliers[order], 2)
    mean, scale = (0, 1) if table.are_pixels else (train.mean(axis=0), train.std(axis=0))
    train, test, outliers = (((x - mean) / scale).astype("float32") for x in (train, test, table.outliers))
    return train, test, outliers


def area(program: Program, table: Table, s: Settings) -> float:
    train, test, outliers = split(table, s.seed)
    scores = quietly(program, train, np.concatenate([test, outliers]), s)
    return auroc(scores[: len(test)], scores[len(test) :])


def anomaly_rows(cache: Cache, tables: Mapping[str, Table], s: Settings) -> tuple[list[str], Rows]:
    rows: Rows = []
    for program in installed("anomaly"):
        values = []
        for name, table in tables.items():
            key = f"anomaly, {name}, {program.library} {program.title}"
            values.append(
                [cache.get(f"{key}, {seed}", partial(area, program, table, s._replace(seed=seed))) for seed in SEEDS]
            )
        rows.append((program.library, program.title, values))
    return list(tables), rows


def generation_rows(cache: Cache, images: Array, labels: Array, s: Settings) -> tuple[list[str], Rows]:
    """Distances of what is drawn to the first half of images (n, columns), and of the second half."""
    features = features_for(VariationalAutoencoder(), images, labels)  # with labels, they are a classifier's
    half = len(images) // 2
    real, other = features.of(images[:half]), features.of(images[half : 2 * half])

    def distances(program: Program, seed: int) -> dict[str, float]:
        drawn = quietly(program, images, half, s._replace(seed=seed))
        return {name: frechet_distance(features.of(x.reshape(half, -1)), real) for name, x in drawn.items()}

    rows: Rows = []
    for program in installed("generation"):
        key = f"generation, {program.library}"
        found = [cache.get(f"{key}, {seed}", partial(distances, program, seed)) for seed in SEEDS]
        rows += [(program.library, f"{program.title}, {name}", [[d[name] for d in found]]) for name in found[0]]
    rows.append(("", "the other half of the data", [[frechet_distance(other, real)]]))
    return ["Fréchet distance"], rows


def rebuilding_rows(cache: Cache, train: Array, test: Array, s: Settings) -> tuple[list[str], Rows]:
    def error(program: Program, seed: int) -> float:
        rebuilt = quietly(program, train, test, s._replace(seed=seed)).clip(0, 1)
        return float(np.square(rebuilt - test, dtype=np.float64).mean())

    rows: Rows = []
    for program in installed("rebuilding"):
        key = f"rebuilding, {program.library} {program.title}"
        values = [cache.get(f"{key}, {seed}", partial(error, program, seed)) for seed in SEEDS]
        rows.append((program.library, program.title, [values]))
    return ["mean squared error"], rows


def lines_table() -> str:
    """Lines of the shortest to the longest program of each library and part."""
    table = [f"| library | {' | '.join(PROGRAMS)} |", f"{'| --- ' * (1 + len(PROGRAMS))}|"]
    for library in filter(is_installed, MODULES):
        cells = []
        for part in PROGRAMS:
            counts = [p.n_lines() for p in installed(part) if p.library == library and not p.is_variant]
            cells.append(" to ".join(str(n) for n in sorted({min(counts), max(counts)})) if counts else "")
        table.append(f"| {library} | {' | '.join(cells)} |")
    return "\n".join(table)


def megabytes(requirements: Sequence[str]) -> float:
    """Size of what pip installs for them, in units of 2²⁰ bytes."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder, "Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        subprocess.run([python, "-I", "-m", "pip", "install", "-q", *requirements], check=True)
        packages = Path(
            subprocess.run(
                [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
                check=True,
                capture_output=True,
                encoding="utf-8",
            ).stdout.strip()
        )
        counted = (
            file.stat().st_size
            for top in packages.iterdir()
            if not top.name.startswith(("pip", "setuptools", "pkg_resources", "_distutils_hack", "distutils-"))
            for file in ([top] if top.is_file() else top.rglob("*"))
            if file.is_file()
        )
        return sum(counted) / 2**20


def megabytes_rows(cache: Cache, torch: str) -> tuple[list[str], Rows]:
    wanted = {
        ("npae", ""): [str(ROOT)],
        ("npae", "with scikit-learn"): [f"{ROOT}[sklearn]"],
        ("scikit-learn", ""): ["scikit-learn"],
        ("PyTorch", ""): [torch],
        ("PyOD", "with PyTorch, for its autoencoders"): ["pyod", torch],
        ("pythae", ""): ["pythae", torch],
    }
    rows: Rows = []
    for (library, title), requirements in wanted.items():
        try:
            size = cache.get(f"megabytes, {library} {title}", partial(megabytes, requirements))
        except subprocess.CalledProcessError:
            print(f"pip could not install {' '.join(requirements)}, so {library} is left out", file=sys.stderr)
            continue
        rows.append((library, title, [[size]]))
    return ["MiB"], rows


def markdown(head: Sequence[str], rows: Rows, digits: int, best: Callable[[Iterable[float]], float] | None) -> str:
    """A table; the best mean of each column is bold, data itself aside."""

    def shown(values: Sequence[float], is_best: bool) -> str:
        mean = f"{np.mean(values):.{digits}f}"
        mean = f"**{mean}**" if is_best else mean
        return mean if min(values) == max(values) else f"{mean} ({min(values):.{digits}f} to {max(values):.{digits}f})"

    means = [[round(float(np.mean(v)), digits) for v in values] for _, _, values in rows]
    peers = [m for m, (library, _, _) in zip(means, rows, strict=True) if library]
    tops = [None if best is None else best(column) for column in zip(*peers, strict=True)]
    lines = [f"| library | model | {' | '.join(head)} |", f"{'| --- ' * (2 + len(head))}|"]
    for (library, title, values), mean in zip(rows, means, strict=True):
        cells = [shown(v, bool(library) and m == top) for v, m, top in zip(values, mean, tops, strict=True)]
        lines.append(f"| {library} | {title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def tables(parts: Sequence[str], cache: Cache, torch: str) -> Iterator[str]:
    """The table of each part."""
    digits = load_digits()
    train, test = (x.reshape(len(x), -1) for x in (digits.train_images, digits.test_images))
    for part in parts:
        if part == "anomaly":
            yield markdown(*anomaly_rows(cache, anomaly_tables(), ANOMALY), 3, max)
        elif part == "generation":
            yield markdown(*generation_rows(cache, train, digits.train_labels, GENERATION), 2, min)
        elif part == "rebuilding":
            yield markdown(*rebuilding_rows(cache, train, test, REBUILDING), 4, min)
        elif part == "lines":
            yield lines_table()
        else:
            yield markdown(*megabytes_rows(cache, torch), 0, None)


PARTS = (*PROGRAMS, "lines", "megabytes")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Compare npae with other libraries.")
    parser.add_argument("--parts", type=lambda s: s.split(","), default=list(PARTS), metavar="NAME,NAME,...")
    parser.add_argument("--cache", type=Path, help="a json file that keeps results", metavar="FILE")
    parser.add_argument("--torch", default="torch", help="what pip is asked to install", metavar="REQUIREMENT")
    options = parser.parse_args(arguments)
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"unknown parts {', '.join(sorted(unknown))}; expected some of {', '.join(PARTS)}")
    if not is_installed("scikit-learn") and {"anomaly", "generation"} & set(options.parts):
        parser.error("the parts anomaly and generation need scikit-learn: pip install scikit-learn")
    for library in MODULES:
        if not is_installed(library):
            needed = " and ".join(m for m in (MODULES[library], *NEEDS.get(library, ())))
            print(f"{library} is left out of comparisons, as they need {needed}", file=sys.stderr)
    for table in tables(options.parts, Cache(options.cache), options.torch):
        print(f"\n{table}", flush=True)


if __name__ == "__main__":
    main()
