"""npae gradcheck: check the gradients of a model, a recipe, or a user's function or layer."""

import argparse
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Any

from npae.cli.arguments import model_file, seed_number
from npae.cli.gradcheck_function import add_function_arguments, function_report
from npae.cli.imported import import_named, in_one_line
from npae.cli.paths import add_input
from npae.cli.tables import say_json
from npae.network.recipes import RECIPES
from npae.utils.console import say

if TYPE_CHECKING:
    from npae.gradcheck import Report

HELP = "check the gradients of a model, a layer or a function, and name what is wrong"
EXAMPLE = "npae gradcheck mypackage.layers:forward --inputs 3x4,4x5"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """WHAT --shape --inputs --backward --scalar --wrt --batch-axis --fast --full --budget --seed --json."""
    add_input(
        parser,
        "what",
        metavar="WHAT",
        type=model_file,
        help=f"a file that npae train or save wrote; one of {', '.join(RECIPES)}; module:Class, a layer of yours; or "
        "module:function",
    )
    parser.add_argument(
        "--shape",
        metavar="N,N,...",
        type=_shape,
        help="of one sample (default: the model's; 28,28 for a recipe; 6 or 7,6,3 for a layer, whichever it takes)",
    )
    add_function_arguments(parser)
    how_much = parser.add_mutually_exclusive_group()
    how_much.add_argument("--fast", action="store_true", help="random directions; the default for models and recipes")
    how_much.add_argument("--full", action="store_true", help="every entry; the default for layers and functions")
    parser.add_argument(
        "--budget", type=float, metavar="SECONDS", help="stop after this time; the report says what was checked"
    )
    parser.add_argument(
        "--seed", type=seed_number, default=0, metavar="N", help="of the samples and directions (default: 0)"
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the report; returns 0 for PASS and KINK, 1 for WRONG and CAN'T TELL."""
    report = _report(args)
    if args.json:
        say_json(report.to_dict())
    else:
        say(report)
    return 0 if report.passed else 1


def _report(args: argparse.Namespace) -> "Report":
    import numpy as np

    from npae.gradcheck import check_model

    options = {"budget_s": args.budget, "seed": args.seed}
    if ":" in _without_drive(args.what) and not Path(args.what).exists():
        return _report_on_named(args, options)
    if args.what in RECIPES:
        shape = args.shape or (28, 28)
        model: Any = RECIPES[args.what](shape)
    elif Path(args.what).suffix == ".py":
        raise ValueError(
            f"{args.what} is Python source, and what in it to check is not said; give module:name, such as "
            f"{PureWindowsPath(args.what).stem}:Scale"
        )
    elif Path(args.what).suffix or Path(args.what).exists():
        from npae.estimators.load import load

        model = load(args.what)
        shape = getattr(model, "network_", model).input_shape
        if args.shape not in (None, shape):
            raise ValueError(f"--shape is {args.shape}, but the model takes samples of shape {shape}; leave it out")
    else:
        raise ValueError(
            f"{args.what!r} is no file, no recipe and no module:name; give a saved model, "
            f"one of {', '.join(RECIPES)}, or a layer or function such as mypackage.layers:Scale"
        )
    x = np.random.default_rng(args.seed).random((4, *shape))
    return check_model(model, x, mode="full" if args.full else "fast", **options)


def _report_on_named(args: argparse.Namespace, options: dict[str, Any]) -> "Report":
    """The report on the function, layer or class of layers ``module:name``."""
    found = import_named(args.what)
    if isinstance(found, type) or hasattr(found, "forward"):
        given = {"--inputs": args.drawn, "--backward": args.backward, "--scalar": args.scalar, "--wrt": args.wrt}
        given["--batch-axis"] = args.batch_axis
        of_functions = [option for option, value in given.items() if value is not None and value is not False]
        if of_functions:
            raise ValueError(
                f"{args.what} is a layer, and {of_functions[0]} is for functions; give --shape, the shape of one sample"
            )
        return _layer_report(args, found, options)
    if not callable(found):
        raise ValueError(f"{args.what} is {type(found).__name__}, not a function or layer; give one of those")
    if args.shape:
        raise ValueError(f"{args.what} is a function, and --shape is for layers; give --inputs, such as 3x4,4x5")
    return function_report(found, args, options)


def _layer_report(args: argparse.Namespace, found: Any, options: dict[str, Any]) -> "Report":
    from npae.gradcheck import check_layer

    layer = _made(args.what, found)
    options["mode"] = "fast" if args.fast else "full"
    try:
        if args.shape:
            return check_layer(layer, args.shape, **options)
        try:
            return check_layer(layer, (6,), **options)
        except (ValueError, IndexError, TypeError):
            return check_layer(layer, (7, 6, 3), **options)
    except ValueError:
        raise
    except Exception as error:  # an exception of the user's code is reported; it is no verdict on the gradient
        raise ValueError(in_one_line(error, f"{args.what} cannot be run")) from error


def _made(what: str, made: Any) -> Any:
    """A layer: ``made``, or an object of it where it is a class."""
    try:
        return made() if isinstance(made, type) else made
    except TypeError as error:
        name = what.rpartition(":")[2]
        raise ValueError(f"{name}() needs arguments ({error}); name a layer made from it instead") from None
    except Exception as error:
        raise ValueError(in_one_line(error, f"{what} cannot be made")) from error


def _without_drive(what: str) -> str:
    """A path without the drive ("C:") of a Windows path, on any system."""
    return what[2:] if what[1:3] in (":\\", ":/") else what


def _shape(text: str) -> tuple[int, ...]:
    try:
        shape = tuple(int(n) for n in text.split(","))
    except ValueError:
        shape = ()
    if not shape or min(shape) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no shape; expected whole numbers such as 28,28")
    return shape
