"""Options and output of npae bench."""

import argparse
from typing import Any

from npae.cli.arguments import count, divisor
from npae.cli.bench.process import held_back_to_avx2, require_avx2
from npae.cli.bench.rounds import Limit
from npae.cli.output import write_bytes
from npae.cli.paths import add_input, add_output
from npae.cli.ranks import add_ranks
from npae.training.ranks.mpi import world
from npae.utils.console import is_silent, say

HELP = "measure how fast the five types train, beside PyTorch, JAX and scikit-learn"
EXAMPLE = "npae bench --peers none --models deep --rounds 3"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--peers --models --rounds --seconds --images --threads --inverted --avx2 --growth --against --json, and more."""
    parser.add_argument(
        "--peers",
        metavar="NAME,NAME,...",
        default="torch,torch-compile,jax,sklearn",
        help="some of torch, torch-compile, jax, sklearn, or none (default: all)",
    )
    parser.add_argument("--models", metavar="NAME,NAME,...", help="some of the five types (default: all)")
    _add_conditions(parser)
    parser.add_argument("--epochs-only", action="store_true", help="leave out transform, latency, start-up and memory")
    add_output(
        parser,
        "--growth",
        declared={"suffixes": (".png",)},
        metavar="FILE.png",
        help="measure instead how a step's time grows with batch, width, image and rows, and draw it there; beside "
        "torch about five minutes, and about one for one size",
    )
    parser.add_argument(
        "--growth-of",
        metavar="SIZE,...",
        help="with --growth, some of batch, width, side, rows, drawn alone (default: all)",
    )
    _add_ranks(parser)
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


def _add_conditions(parser: argparse.ArgumentParser) -> None:
    """--rounds --seconds --images --threads --inverted --avx2."""
    parser.add_argument(
        "--rounds",
        type=count,
        help="rounds that count, interleaved; with --seconds the least number of them (default: 2; --ranks: 10)",
    )
    parser.add_argument(
        "--seconds",
        type=divisor,
        metavar="S",
        help="take rounds of each type, or with --growth of each size, until S seconds have passed, so that short "
        "epochs get many (default: 10; with --rounds or --growth: 0)",
    )
    parser.add_argument("--images", type=count, default=5000, help="images in an epoch (default: 5000)")
    parser.add_argument("--threads", type=count, default=2, help="threads of every side (default: 2)")
    parser.add_argument(
        "--inverted", action="store_true", help="images 1 - 0.9 x of the digits x: data without zeros to skip"
    )
    parser.add_argument(
        "--avx2", action="store_true", help="hold every side back to AVX2, on a processor that has wider vectors"
    )


def _add_ranks(parser: argparse.ArgumentParser) -> None:
    """--ranks --latency --bandwidth --scale."""
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


def run(args: argparse.Namespace) -> int:
    """Measure, print the tables, write the file."""
    import json

    from npae.cli.bench.comparison import compare
    from npae.cli.bench.libraries import PEERS, is_installed
    from npae.cli.bench.models import MODELS
    from npae.cli.bench.table import table
    from npae.utils.errors import MissingExtraError

    _refuse_what_does_not_go_together(args)
    then = _earlier(args)
    peers = [] if args.peers == "none" or args.ranks else _chosen(args.peers, PEERS, "peer")
    models = _chosen(args.models, list(MODELS), "model") if args.models else list(MODELS)
    if peers and not any(map(is_installed, peers)):
        raise MissingExtraError(f"none of {', '.join(peers)} is installed; pip install 'npae[bench]'")
    if args.ranks:
        result = _ranks(args, models)
    elif args.growth:
        result = _growth(args, peers)
    else:
        result = compare(
            peers, models, limit=_limit(args, 10), images=args.images, epochs_only=args.epochs_only, **_alike(args)
        )
        say(table(result))
    if args.json and not is_silent():
        write_bytes(args.json, (json.dumps(result, indent=1) + "\n").encode())
    return 0 if then is None else _beside(args, then, result)


def _refuse_what_does_not_go_together(args: argparse.Namespace) -> None:
    if args.scale and not args.ranks:
        raise ValueError("--scale draws what --ranks mpi has measured; give both")
    if args.growth_of and not args.growth:
        raise ValueError("--growth-of says which sizes --growth measures; give --growth FILE.png as well")
    if args.growth and args.models:
        raise ValueError("--growth has models of its own; leave --models out, and choose sizes by --growth-of")
    if args.avx2:
        require_avx2()
    given = [option for option in ("seconds", "inverted", "avx2") if getattr(args, option)]
    if args.ranks and given:
        raise ValueError(f"--{given[0]} is not for --ranks; leave it out")


def _limit(args: argparse.Namespace, seconds: float) -> Limit:
    """When rounds end, with the default of ``--seconds`` where ``--rounds`` is not given."""
    return Limit(args.rounds or 2, args.seconds or (0 if args.rounds else seconds))


def _alike(args: argparse.Namespace) -> dict[str, Any]:
    """What ``compare`` and ``grow`` have in common."""
    return {
        "threads": args.threads,
        "inverted": args.inverted,
        "environment": held_back_to_avx2() if args.avx2 else {},
        "say": _say,
    }


def _growth(args: argparse.Namespace, peers: list[str]) -> dict[str, Any]:
    """Measure how a step's time grows, print the table, and draw it."""
    from npae.cli.bench import growth
    from npae.utils import charts

    charts.require_matplotlib()
    names = _chosen(args.growth_of, list(growth.AXES), "size") if args.growth_of else list(growth.AXES)
    axes = {name: growth.AXES[name] for name in names}
    with_memory = not args.epochs_only
    result = growth.grow(peers, limit=_limit(args, 0), axes=axes, with_memory=with_memory, **_alike(args))
    say(growth.table(result))
    write_bytes(args.growth, charts.growth(growth.curves(result), unit="ms a step"))
    return result


def _earlier(args: argparse.Namespace) -> dict[str, Any] | None:
    """The result that ``--against`` names."""
    from npae.cli.bench.against import read

    if args.against is None:
        if args.fail_below is not None:
            raise ValueError("--fail-below is a share of an earlier speed; give --against FILE as well")
        return None
    if args.growth or args.ranks:
        raise ValueError("--against compares epochs, which --growth and --ranks do not measure; leave one of both out")
    return read(args.against, images=args.images, threads=args.threads, inverted=args.inverted)


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
    result = rank_measures.measure(ranks, models, rounds=args.rounds or 10, images=args.images, say=_say)
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
