"""npae search: find the samples of an index whose codes are nearest to those of given samples."""

import argparse

import numpy as np

from npae.applications.retrieval import Index
from npae.cli.arguments import add_model, add_reading, count, read_model, read_sources, samples_in
from npae.cli.output import table, write_bytes
from npae.cli.paths import add_input, add_output
from npae.utils.console import say
from npae.utils.wording import counted

HELP = "find the samples of an index that are nearest to others"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL INDEX QUERY -k --first --data --out."""
    add_model(parser)
    add_input(parser, "index", metavar="INDEX", help="a file that npae index wrote with the same model")
    add_input(
        parser,
        "query",
        holds=samples_in,
        metavar="QUERY",
        help="samples to look for, as for --data; or one sample in a .npy",
    )
    parser.add_argument("-k", type=count, default=10, help="how many to find for each (default: 10)")
    parser.add_argument("--first", type=count, default=5, metavar="N", help="only the first N queries (default: 5)")
    add_input(
        parser,
        "--data",
        holds=samples_in,
        help="what the index was made of, for the picture; without it results are decoded from their codes",
    )
    add_output(
        parser,
        "--out",
        declared={"suffixes": (".png",)},
        metavar="FILE",
        help="a .png: each query, and beside it what was found",
    )
    add_reading(parser)


def run(args: argparse.Namespace) -> None:
    """Print positions in the index and distances; write the picture."""
    model = read_model(args)
    index = Index.load(args.index, model)
    queries, *others = read_sources(args, args.query, *([args.data] if args.data and args.out else []), model=model)
    if queries.shape == model.network_.input_shape:
        queries = queries[None]
    queries = queries[: args.first]
    places, distances = index.search(model.network_.encode(queries), args.k)
    rows = [
        (str(i), " ".join(f"{place} ({distance:.3g})" for place, distance in zip(*found, strict=True)))
        for i, found in enumerate(zip(places, distances, strict=True))
    ]
    say(table(("query", "nearest, with distance"), rows))
    if args.out:
        from npae.utils import pictures

        source = others[0] if others else model.inverse_transform(index.codes[places.ravel()])
        if args.data and len(source) != len(index.codes):
            raise ValueError(
                f"--data has {counted(len(source), 'sample')}, but the index {len(index.codes)}; give what it was "
                f"made of"
            )
        if source.shape[1:] != queries.shape[1:]:
            raise ValueError(
                f"--data has samples of shape {source.shape[1:]}, but the queries {queries.shape[1:]}; give what the "
                f"index was made of"
            )
        found = source[places] if args.data else source.reshape(*places.shape, *source.shape[1:])
        shown = np.concatenate([queries[:, None], found], axis=1)  # (queries, 1 + k, height, width[, channels])
        flat = shown.reshape(-1, *shown.shape[2:])
        write_bytes(args.out, pictures.png(pictures.grid(flat, columns=shown.shape[1])))
