"""What holds the project together besides its code."""

import configparser
import tomllib
from pathlib import Path

import npae

PACKAGE = Path(npae.__file__).parent
ROOT = Path(__file__).parent.parent


def test_the_kernels_are_forbidden_to_import_every_other_module():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    forbidden = set(config["importlinter:contract:kernels"]["forbidden_modules"].split())
    found = {
        f"npae.{path.stem}"
        for path in PACKAGE.iterdir()
        if (path.suffix == ".py" and not path.stem.startswith("__")) or (path / "__init__.py").exists()
    }
    assert forbidden == found - {"npae.kernels"}


def test_installing_brings_three_dependencies():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    required = config["options"]["install_requires"].split()
    assert [name.partition(">")[0] for name in required] == ["numpy", "numba", "tqdm"]
    assert set(tomllib.loads((ROOT / "pyproject.toml").read_text())) == {"build-system"}
