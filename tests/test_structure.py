"""What holds the project together besides its code."""

import configparser
import importlib
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from helpers.imports import circles, imports
from helpers.paths import ROOT

import npae

PACKAGE = Path(npae.__file__).parent


MOST_ROOT_ENTRIES = 15
MOST_LAYERS = 9


def layers() -> list[list[str]]:
    """The layers of the import contract, highest first, each a list of packages."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    lines = config["importlinter:contract:layers"]["layers"].split("\n")
    return [line.split(" | ") for line in lines if line]


def package_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def test_the_package_has_few_entries_at_its_root():
    entries = [path for path in PACKAGE.iterdir() if path.name != "__pycache__"]
    assert len(entries) <= MOST_ROOT_ENTRIES
    packages = {path.name for path in entries if path.is_dir()}
    assert packages == {package for layer in layers() for package in layer}


def test_packages_import_only_lower_layers():
    assert len(layers()) <= MOST_LAYERS
    height = {package: -i for i, layer in enumerate(layers()) for package in layer}
    upwards = [
        f"{name} imports {other}"
        for name, others in imports().items()
        for other in others
        if package_of(name) in height
        and package_of(other) != package_of(name)
        and height.get(package_of(other), 1) >= height[package_of(name)]
    ]
    assert upwards == []


def test_no_modules_import_each_other_in_a_circle():
    assert circles(imports()) == []


def test_a_circle_is_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [["b", "c"]]


def test_imports_in_functions_and_for_type_checkers_count():
    found = imports()
    assert "npae.estimators.precompile" in found["npae.cli.warmup"]
    assert "npae.network.base" in found["npae.training.memory_estimate"]


@pytest.mark.parametrize("name", ["errors", "foreign", "losses", "optimizers", "recipes", "schedules"])
def test_short_public_names_are_the_modules_themselves(name):
    assert importlib.import_module(f"npae.{name}") is getattr(npae, name)


@pytest.mark.parametrize("name", ["layers", "datasets", "gradcheck", "learn", "applications", "storage", "training"])
def test_public_packages_stay_where_they_are(name):
    module = importlib.import_module(f"npae.{name}")
    assert all(hasattr(module, public) for public in getattr(module, "__all__", []))


def test_npae_alone_gives_the_names_of_the_readme():
    program = (
        "import sys, npae; assert not {'npae.learn', 'npae.gradcheck'} & set(sys.modules);"
        "print(npae.learn.check.__name__, npae.gradcheck.check.__name__, hasattr(npae, 'nothing'))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert (done.stdout, done.stderr) == ("check check False\n", "")


def test_installing_brings_three_dependencies():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    required = config["options"]["install_requires"].split()
    assert [name.partition(">")[0] for name in required] == ["numpy", "numba", "tqdm"]
    assert set(tomllib.loads((ROOT / "pyproject.toml").read_text())) == {"build-system"}
