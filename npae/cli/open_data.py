"""The option --data of verbs that go through samples in parts: files that are read whole, or sources that are not."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from npae.cli.arguments import DATA, add_reading, check_options, read_data, read_described, samples_in
from npae.cli.paths import add_input
from npae.datasets.file_columns import checked_names
from npae.datasets.formats import Data
from npae.datasets.named_columns import NamedColumns
from npae.datasets.open_source import is_source, open_source
from npae.datasets.shards import ShardSource, files_of
from npae.estimators import AutoencoderEstimator
from npae.utils.columns import columns_of
from npae.utils.samples import Samples, dense
from npae.utils.sources import Source
from npae.utils.types import Array
from npae.utils.validation import check_numeric

SHARDS = "a folder or a quoted pattern of .npy or .parquet shards, a .parquet, x.h5:/name, a .zarr, or several of these"


class _OneOrMore(argparse.Action):
    """A name, or a list of them where there are several; a further option adds to them."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        given = [values] if isinstance(values, str) else list(values)
        before = getattr(namespace, self.dest)
        if before != self.default:
            given = [*([before] if isinstance(before, str) else before), *given]
        setattr(namespace, self.dest, given[0] if len(given) == 1 else given)


def add_large_data(parser: argparse.ArgumentParser, default: str | None = None, *, nargs: str | None = None) -> None:
    """Add the option --data of a verb that goes through it in parts, and how it is read.

    With ``nargs`` several names may follow one option; elsewhere they would swallow the arguments behind it.
    """
    add_input(
        parser,
        "--data",
        needed=DATA,
        holds=files_in,
        is_stream=True,
        default=default,
        action=_OneOrMore,
        nargs=nargs,
        help=f"{DATA}; or {SHARDS}" + (f" (default: {default})" if default else " (needed)"),
    )
    add_reading(parser)


def files_in(value: str) -> list[Path]:
    """What a name of --data stands for: of a pattern the files that match it."""
    if not is_source(value) or Path(value).exists():
        return samples_in(value)
    return [Path(_file_of(name)) for name in files_of(value)]


def _file_of(name: str) -> str:
    return name if Path(name).exists() else name.rpartition(":/")[0] or name


def open_data(args: argparse.Namespace, model: AutoencoderEstimator | None = None) -> Array | Source:
    """The samples of --data: an array, or a source where it names one; with the names of columns that the model has."""
    source = _source(args)
    if source is None:
        return read_data(args, model)
    if model is not None and isinstance(source, ShardSource):
        names = args.data if isinstance(args.data, str) else ", ".join(args.data)
        known = checked_names(columns_of(source), source.shape, names, model.network_.columns)
        source.columns = list(known or ())
    return source


def open_described(args: argparse.Namespace) -> Data | tuple[Source, dict[str, Any]]:
    """As ``open_data``, and what the samples mean."""
    source = _source(args)
    return (source, {}) if source is not None else read_described(args)


def _source(args: argparse.Namespace) -> Source | None:
    names: str | Sequence[str] = args.data
    if isinstance(names, str) and (names == "digits" or not is_source(names)):
        return None
    several = [names] if isinstance(names, str) else names
    options = check_options(args, *several)
    return open_source(names, divide=options[several[0]].get("divide"))


def first_of(X: Array | Source, n: int) -> Array:
    """The first ``n`` samples as numbers of a network, with the names of their columns where X has some."""
    samples: Samples = check_numeric(X, "X")
    few, names = dense(samples[: min(n, len(samples))]), columns_of(X)
    return few if names is None or few.ndim != 2 else NamedColumns.of(few, names.labels)
