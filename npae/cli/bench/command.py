"""Options and output of npae bench."""

import argparse
from typing import Any

from npae.cli.arguments import count, divisor
from npae.cli.output import write_bytes
from npae.cli.paths import add_input, add_output
from npae.cli.ranks import add_ranks
from npae.training.ranks.mpi import world
from npae.utils.console import is_silent, say

HELP = "measure how fast the five types train, beside PyTorch, JAX and scikit-learn"
EXAMPLE = "npae bench --peers none --models deep --rounds 3"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--peers --models --rounds --images --threads --epochs-only --growth --against --json."""
    parser.add_argument(
        "--peers",
        metavar="NAME,NAME,...",
        default="torch,torch-compile,jax,sklearn",
        help="some of torch, torch-compile, jax, sklearn, or none (default: all)",
    )
    parser.add_argument("--models", metavar="NAME,NAME,...", help="some of the five types (default: all)")
    parser.add_argument("--rounds", type=count, default=10, help="rounds that count, interleaved (default: 10)")
    parser.add_argument("--images", type=count, default=5000, help="images in an epoch (default: 5000)")
    parser.add_argument("--threads", type=count, default=2, help="threads of every side (default: 2)")
    parser.add_argument("--epochs-only", action="store_true", help="leave out transform, latency, start-up and memory")
    add_output(
        parser,
        "--growth",
        declared={"suffixes": (".png",)},
        metavar="FILE.png",
        help="measure instead how a step's time grows with batch, width and image, and draw it there",
    )
    add_ranks(parser, "measure instead what a step of several ranks costs: mpiexec -n 2 npae bench --ranks mpi")
    parser.add_argument(
        "--latency", type=divisor, default=30, metavar="US", help="µs of an exchange in the predictions (default: 30)"
    )
    parser.add_argument(
        "--bandwidth", type=divisor, default=1.1, metavar="GB", help="GB/s in the predictions (default: 1.1)"
    )
    add_output(
        parser,
        "--scale",
        declared={"suffixes": (".png",)},
        metavar="FILE.png",
        help="draw there, with --ranks, what is predicted for up to 64 ranks",
    )
    add_input(
        parser,
        "--against",
        metavar="FILE",
        help="an earlier --json FILE: print as well by how much each type has become faster or slower since",
    )
    parser.add_argument(
        "--fail-below",
        type=divisor,
        metavar="RATIO",
        help="with --against, exit with 1 where a type has, by minimum and median, less than this share of its speed",
    )
    add_output(parser, "--json", metavar="FILE", help="write all rounds, versions and the machine there")


def run(args: argparse.Namespace) -> int:
    """Measure, print the tables, write the file."""
    import json

    from npae.cli.bench.comparison import compare
    from npae.cli.bench.libraries import PEERS, is_installed
    from npae.cli.bench.models import MODELS
    from npae.cli.bench.table import table
    from npae.utils.errors import MissingExtraError

    if args.scale and not args.ranks:
        raise ValueError("--scale draws what --ranks mpi has measured; give both")
    then = _earlier(args)
    peers = [] if args.peers == "none" or args.ranks else _chosen(args.peers, PEERS, "peer")
    models = _chosen(args.models, list(MODELS), "model") if args.models else list(MODELS)
    if peers and not any(map(is_installed, peers)):
        raise MissingExtraError(f"none of {', '.join(peers)} is installed; pip install 'npae[bench]'")
    if args.ranks:
        result = _ranks(args, models)
    elif args.growth:
        from npae.cli.bench import growth
        from npae.utils import charts

        charts.require_matplotlib()
        result = growth.grow(peers, n_rounds=args.rounds, threads=args.threads, say=_say)
        say(growth.table(result))
        write_bytes(args.growth, charts.growth(growth.curves(result), unit="ms a step"))
    else:
        result = compare(
            peers,
            models,
            n_rounds=args.rounds,
            images=args.images,
            threads=args.threads,
            epochs_only=args.epochs_only,
            say=_say,
        )
        say(table(result))
    if args.json and not is_silent():
        write_bytes(args.json, (json.dumps(result, indent=1) + "\n").encode())
    return 0 if then is None else _beside(args, then, result)


def _earlier(args: argparse.Namespace) -> dict[str, Any] | None:
    """The result that ``--against`` names."""
    from npae.cli.bench.against import read

    if args.against is None:
        if args.fail_below is not None:
            raise ValueError("--fail-below is a share of an earlier speed; give --against FILE as well")
        return None
    if args.growth or args.ranks:
        raise ValueError("--against compares epochs, which --growth and --ranks do not measure; leave one of both out")
    return read(args.against, images=args.images, threads=args.threads)


def _beside(args: argparse.Namespace, then: dict[str, Any], now: dict[str, Any]) -> int:
    """Print how much faster or slower each type is than in an earlier result; the exit code."""
    from npae.cli.bench import against

    say("\n" + against.table(args.against, then, now))
    below = [] if args.fail_below is None else against.slower(against.rows(then, now), args.fail_below)
    if below:
        say(f"slower than {args.fail_below:g} of what it was: {', '.join(below)}", to_errors=True)
    return 1 if below else 0


def _ranks(args: argparse.Namespace, models: list[str]) -> dict[str, object]:
    """Measure what a step of ranks costs, print the tables, and draw the predictions."""
    from npae.cli.bench import rank_cost, rank_measures, rank_table
    from npae.utils import charts

    if args.growth:
        raise ValueError("--growth measures one process, and --ranks several; give one of the two")
    ranks = world()
    if ranks.size < 2:
        raise ValueError("one rank has nothing to exchange; start at least two: mpiexec -n 2 npae bench --ranks mpi")
    if args.scale:
        charts.require_matplotlib()
    result = rank_measures.measure(ranks, models, rounds=args.rounds, images=args.images, say=_say)
    result["assumed"] = {"latency": args.latency / 1e6, "bandwidth": args.bandwidth * 1e9}
    if not ranks.is_first:
        return result
    say(rank_table.table(result))
    if args.scale:
        write_bytes(args.scale, charts.growth(rank_cost.panels(result), unit="times one rank"))
    return result


def _say(line: str) -> None:
    say(line, to_errors=True)


def _chosen(text: str, known: list[str], what: str) -> list[str]:
    names = list(dict.fromkeys(text.split(",")))
    for name in names:
        if name not in known:
            raise ValueError(f"unknown {what} {name!r}; expected some of {', '.join(known)}")
    return names
