"""The libraries that are compared: where their modules are, what they need, what they can measure."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple, Protocol, cast

from npae.utils.errors import MissingExtraError
from npae.utils.types import Array


class Contender(Protocol):
    """What a contender's module has under the name ``Contender``; made with the number of threads."""

    def prepare(self, name: str, x: Array, **changes: Any) -> None:
        """Make the model ``name`` anew, with ``changes`` of its arguments, and have the images x ready to train on."""

    def run_epoch(self) -> float:
        """Train for one epoch, shuffling included; returns the seconds it took."""
        ...

    def versions(self) -> dict[str, str]:
        """The libraries that do the work."""
        ...


class EncodingContender(Contender, Protocol):
    """One whose transform is compared too."""

    def encode(self, x: Array) -> Any:
        """The codes of x, however the library gives them."""


class Entry(NamedTuple):
    """Where a contender is found and what it needs."""

    module: str
    library: str
    encodes: bool  # whether its transform is compared too
    starts: bool  # whether its start-up is compared too


OURS = "npae"
CONTENDERS: dict[str, Entry] = {
    OURS: Entry("npae.cli.bench.npae_library", "npae", encodes=True, starts=True),
    "torch": Entry("npae.cli.bench.peers.torch_eager", "torch", encodes=True, starts=True),
    "torch-compile": Entry("npae.cli.bench.peers.torch_compiled", "torch", encodes=False, starts=False),
    "jax": Entry("npae.cli.bench.peers.jax_jit", "jax", encodes=False, starts=True),
    "sklearn": Entry("npae.cli.bench.peers.sklearn_mlp", "sklearn", encodes=False, starts=False),
}
PEERS = [name for name in CONTENDERS if name != OURS]


class UnsupportedModelError(ValueError):
    """A library has no such layers, or not these."""


def is_installed(name: str) -> bool:
    """Whether the library of a contender can be imported."""
    return find_spec(CONTENDERS[name].library) is not None


def new_contender(name: str, threads: int) -> Contender:
    """Import the contender's library, and the contender."""
    entry = CONTENDERS[name]
    if not is_installed(name):
        raise MissingExtraError(f"{entry.library} is not installed; pip install 'npae[bench]'")
    return cast(Contender, import_module(entry.module).Contender(threads))
