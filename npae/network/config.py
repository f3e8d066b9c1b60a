"""Conversion of layers to plain JSON and back, for model files and for copies of a network."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from npae import layers as builtin
from npae.layers.base import Layer

BUILTIN: dict[str, type[Layer]] = {
    name: getattr(builtin, name) for name in builtin.__all__ if name not in ("Layer", "Chain")
}


def to_config(layers: Sequence[Layer]) -> list[dict[str, Any]]:
    """A dict for each layer: its type and its constructor's arguments."""
    return [{"type": type(layer).__name__, **layer.config()} for layer in layers]


def from_config(configs: Iterable[Mapping[str, Any]], own: Iterable[type[Layer]] = ()) -> list[Layer]:
    """New, unbuilt layers from the dicts of ``to_config``; ``own`` are user-defined layer classes.

    Raises ValueError for a type that is neither npae's nor in ``own``.
    """
    known = {**BUILTIN, **{cls.__name__: cls for cls in own}}
    result = []
    for config in configs:
        arguments = dict(config)
        kind = arguments.pop("type")
        if kind not in known:
            raise ValueError(f"unknown layer {kind!r}; pass its class with layers=[{kind}], in Python only")
        result.append(known[kind](**arguments))
    return result
