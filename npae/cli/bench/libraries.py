"""Registry of the libraries that are compared: their modules, requirements and measurements."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple, Protocol, cast

from npae.utils.errors import MissingExtraError
from npae.utils.types import Array


class Contender(Protocol):
    """Interface of the class ``Contender`` in each contender's module; constructed with the number of threads."""

    def prepare(self, name: str, x: Array, **changes: Any) -> None:
        """Make a new model ``name``, with ``changes`` of its arguments, and keep the images x for training."""

    def run_epoch(self) -> float:
        """Train for one epoch, shuffling included; returns the seconds it took."""
        ...

    def versions(self) -> dict[str, str]:
        """Versions of the libraries used, by name."""
        ...


class EncodingContender(Contender, Protocol):
    """A contender whose transform is compared too."""

    def encode(self, x: Array) -> Any:
        """The codes of x, in the library's own array type."""


class Entry(NamedTuple):
    """The module of a contender, and the library that it needs."""

    module: str
    library: str
    encodes: bool  # whether its transform is compared too
    starts: bool  # whether its start-up is compared too


OURS, YARDSTICK = "npae", "sgemm"
CONTENDERS: dict[str, Entry] = {
    OURS: Entry("npae.cli.bench.npae_library", "npae", encodes=True, starts=True),
    "torch": Entry("npae.cli.bench.peers.torch_eager", "torch", encodes=True, starts=True),
    "torch-compile": Entry("npae.cli.bench.peers.torch_compiled", "torch", encodes=False, starts=False),
    "jax": Entry("npae.cli.bench.peers.jax_jit", "jax", encodes=False, starts=True),
    "sklearn": Entry("npae.cli.bench.peers.sklearn_mlp", "sklearn", encodes=False, starts=False),
    YARDSTICK: Entry("npae.cli.bench.yardstick", "numpy", encodes=False, starts=False),
}
PEERS = [name for name in CONTENDERS if name not in (OURS, YARDSTICK)]


class UnsupportedModelError(ValueError):
    """A library lacks the layers of a model."""


def is_installed(name: str) -> bool:
    """Whether the library of a contender can be imported."""
    return find_spec(CONTENDERS[name].library) is not None


def new_contender(name: str, threads: int) -> Contender:
    """Import the contender's library, and the contender."""
    entry = CONTENDERS[name]
    if not is_installed(name):
        raise MissingExtraError(f"{entry.library} is not installed; pip install 'npae[bench]'")
    return cast(Contender, import_module(entry.module).Contender(threads))
