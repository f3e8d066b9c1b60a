"""npae search: find the samples of an index whose codes are nearest to those of given samples."""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from npae.applications.retrieval import Index
from npae.cli.arguments import add_model, add_neighbours, add_reading, count, read_model, read_sources, samples_in
from npae.cli.output import write_bytes
from npae.cli.paths import add_input, add_output
from npae.cli.rows import ROW_SUFFIXES, sample_names, write_rows
from npae.cli.tables import add_json, say_table
from npae.estimators import AutoencoderEstimator
from npae.utils.console import say
from npae.utils.types import Array
from npae.utils.wording import counted

HELP = "find the samples of an index that are nearest to others"
EXAMPLE = "npae search runs/deep digits.index.safetensors new.npy -k 5 --out found.csv"
FIRST = 5  # queries that are shown or drawn by default


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL INDEX QUERY -k --first --data --out."""
    add_model(parser)
    add_input(parser, "index", metavar="INDEX", help="a file that npae index wrote with the same model")
    add_input(
        parser,
        "query",
        holds=samples_in,
        is_stream=True,
        metavar="QUERY",
        help="samples to look for, as for --data; or one sample in a .npy",
    )
    add_neighbours(parser, "how many to find for each")
    parser.add_argument(
        "--first",
        type=count,
        metavar="N",
        help=f"only the first N queries (default: {FIRST}, and all where --out is a .csv or .json)",
    )
    add_input(
        parser,
        "--data",
        holds=samples_in,
        is_stream=True,
        help="what the index was made of, for the picture; without it results are decoded from their codes",
    )
    add_output(
        parser,
        "--out",
        declared={"suffixes": (".png", *ROW_SUFFIXES)},
        metavar="FILE",
        help="a .png: each query, and beside it what was found; or a .csv or .json with a row for each sample found",
    )
    add_reading(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> None:
    """Write the results to a .csv or .json, or print them and draw the picture."""
    as_rows = args.out is not None and Path(args.out).suffix.lower() in ROW_SUFFIXES
    if args.data and (as_rows or not args.out):
        raise ValueError("--data is for the picture that --out draws; give --out a .png, or leave --data out")
    model = read_model(args)
    index = Index.load(args.index, model)
    queries, *others = read_sources(args, args.query, *([args.data] if args.data else []), model=model)
    if queries.shape == model.network_.input_shape:
        queries = queries[None]
    chosen = queries[: args.first or (len(queries) if as_rows else FIRST)]
    places, distances = index.search(model.network_.encode(chosen), args.k)
    header, rows = _results(index, sample_names(args.query), places, distances)
    if as_rows:
        write_rows(args.out, header, rows)
        queries_counted = "1 query" if len(chosen) == 1 else f"{len(chosen):,} queries"
        say(f"{counted(places.size, 'result')} of {queries_counted} in {args.out}")
    else:
        say_table("results", header, rows, formats={"query": "", "rank": "", "index": ""})
    if len(chosen) < len(queries):
        say(f"the first {len(chosen):,} of {len(queries):,} queries; choose how many with --first")
    if args.out and not as_rows:
        from npae.utils import pictures

        shown = _shown(model, index, chosen, places, others[0] if others else None)
        flat = shown.reshape(-1, *shown.shape[2:])
        write_bytes(args.out, pictures.png(pictures.grid(flat, columns=shown.shape[1])))


def _results(
    index: Index, query_names: Sequence[str] | None, places: Array, distances: Array
) -> tuple[list[str], Iterator[list[object]]]:
    """The header and a row for each sample found, nearest first; files where the queries or the index have some."""
    header = ["query", *(["query_file"] if query_names else []), "rank", "index"]
    header += [*(["file"] if index.names else []), "distance"]

    def rows() -> Iterator[list[object]]:
        for (query, rank), place in np.ndenumerate(places):
            row: list[object] = [query, *([query_names[query]] if query_names else []), rank + 1, int(place)]
            yield [*row, *([index.names[place]] if index.names else []), float(distances[query, rank])]

    return header, rows()


def _shown(model: AutoencoderEstimator, index: Index, queries: Array, places: Array, data: Array | None) -> Array:
    """Each query with the samples found: ``(queries, 1 + k, height, width[, channels])``."""
    source = data if data is not None else model.inverse_transform(index.codes[places.ravel()])
    if data is not None and len(source) != len(index.codes):
        raise ValueError(
            f"--data has {counted(len(source), 'sample')}, but the index {len(index.codes)}; give what it was made of"
        )
    if source.shape[1:] != queries.shape[1:]:
        raise ValueError(
            f"--data has samples of shape {source.shape[1:]}, but the queries {queries.shape[1:]}; give what the "
            f"index was made of"
        )
    found = source[places] if data is not None else source.reshape(*places.shape, *source.shape[1:])
    return np.concatenate([queries[:, None], found], axis=1)
