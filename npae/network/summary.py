"""Text table of a network: layers, output shapes, parameters, multiply-adds and bytes."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from npae.layers.arena import Arena
from npae.layers.base import Chain, Layer
from npae.layers.fused import FusedLayer
from npae.layers.losses import Loss
from npae.utils.types import Shape


def summary(arena: Arena, loss: Loss) -> str:
    """A table: layer, output shape, parameters, multiply-adds and bytes of buffers for one sample."""
    header = ("layer", "type", "output", "parameters", "multiply-adds", "bytes/sample")
    listed = list(layer_sizes(arena))
    rows = [(name, kind, "×".join(map(str, shape)), *map(_counted, counts)) for name, kind, shape, *counts in listed]
    rows.append(("loss", loss.name, "", "0", "0", _counted(arena.buffer_bytes(loss))))
    total = sum(layer.multiply_adds() for layer in arena.layers.values())
    rows.append(("total", "", "", *map(_counted, (arena.parameter_count(), total, arena.buffer_bytes()))))
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    align: list[Callable[[str, int], str]] = [str.ljust, str.ljust, str.ljust, str.rjust, str.rjust, str.rjust]
    lines = ["  ".join(a(cell, w) for a, cell, w in zip(align, row, widths, strict=True)) for row in (header, *rows)]
    return "\n".join(line.rstrip() for line in lines)


class LayerSizes(NamedTuple):
    """Name and type of a layer, and its sizes for one sample."""

    name: str
    type: str
    output_shape: Shape
    parameters: int
    multiply_adds: int
    bytes_of_buffers: int


def layer_sizes(arena: Arena) -> Iterator[LayerSizes]:
    """The layers of a network in order; a fused one comes after those that it replaces."""
    for name, layer in _listed(arena):
        counts = arena.parameter_count(layer), layer.multiply_adds(), arena.buffer_bytes(layer)
        yield LayerSizes(name, type(layer).__name__, layer.output_shape, *counts)


def _counted(count: int) -> str:
    return f"{count:,}"


def _listed(arena: Arena) -> Iterator[tuple[str, Layer]]:
    """Yield the layers of the table with their names, in the order of the network."""
    fused_after = {layer.plain[-1].name: layer for layer in arena.layers.values() if isinstance(layer, FusedLayer)}
    for name, layer in arena.layers.items():
        if not isinstance(layer, Chain | FusedLayer):
            yield name, layer
        if name in fused_after:
            yield fused_after[name].name, fused_after[name]
