"""npae gradcheck: check the gradients of a model, a recipe or a user's layer."""

import argparse
import importlib
import sys
import traceback
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Any

from npae.cli.paths import add_input
from npae.network.recipes import RECIPES
from npae.utils.console import say

if TYPE_CHECKING:
    from npae.gradcheck import Report

HELP = "check the gradients of a model, a recipe or a layer of your own, and name what is wrong"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """WHAT --shape --fast --full --budget --seed --json."""
    add_input(
        parser,
        "what",
        metavar="WHAT",
        help=f"a file that npae train or save wrote; one of {', '.join(RECIPES)}; or module:Class, a layer of your own",
    )
    parser.add_argument(
        "--shape",
        metavar="N,N,...",
        type=_shape,
        help="of one sample (default: the model's; 28,28 for a recipe; 6 or 7,6,3 for a layer, whichever it takes)",
    )
    how_much = parser.add_mutually_exclusive_group()
    how_much.add_argument("--fast", action="store_true", help="random directions; the default for models and recipes")
    how_much.add_argument("--full", action="store_true", help="every entry; the default for layers")
    parser.add_argument(
        "--budget", type=float, metavar="SECONDS", help="stop after this time; the report says what was checked"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the samples and directions (default: 0)")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the report; returns 0 for PASS and KINK, 1 for WRONG and CAN'T TELL."""
    import json

    report = _report(args)
    say(json.dumps(report.to_dict(), indent=1) if args.json else report)
    return 0 if report.passed else 1


def _report(args: argparse.Namespace) -> "Report":
    import numpy as np

    from npae.gradcheck import check_model

    options = {"budget_s": args.budget, "seed": args.seed}
    if ":" in _without_drive(args.what) and not Path(args.what).exists():
        return _layer_report(args, options)
    if args.what in RECIPES:
        shape = args.shape or (28, 28)
        model: Any = RECIPES[args.what](shape)
    elif Path(args.what).suffix == ".py":
        raise ValueError(
            f"{args.what} is Python source, and which of its layers to check is not said; give module:Class, such as "
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
            f"{args.what!r} is no file, no recipe and no module:Class; give a saved model, "
            f"one of {', '.join(RECIPES)}, or a layer such as mypackage.layers:Scale"
        )
    x = np.random.default_rng(args.seed).random((4, *shape))
    return check_model(model, x, mode="full" if args.full else "fast", **options)


def _layer_report(args: argparse.Namespace, options: dict[str, Any]) -> "Report":
    from npae.gradcheck import check_layer

    layer = _made(args.what)
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
        raise ValueError(_told(error, f"{args.what} cannot be run")) from error


def _made(what: str) -> Any:
    """An object of the class named by ``module:Class``; modules in the current folder are found too."""
    module_name, _, name = what.rpartition(":")
    if not module_name or not name:
        raise ValueError(f"{what!r} is no module:Class; give a layer such as mypackage.layers:Scale")
    if module_name.endswith(".py") or set(module_name) & set("/\\:"):
        stem = PureWindowsPath(module_name).stem
        raise ValueError(f"{module_name} is a file, and a module is expected; go to its folder, and give {stem}:{name}")
    sys.path.insert(0, "")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise ValueError(
            f"there is no module {error.name!r}; run this where it can be imported, or install it"
        ) from None
    except Exception as error:
        raise ValueError(_told(error, f"the module {module_name!r} cannot be imported")) from error
    finally:
        sys.path.remove("")
    made = getattr(module, name, None)
    if made is None:
        raise ValueError(f"the module {module_name!r} has no {name!r}; give a class, or a layer made from one")
    try:
        return made() if isinstance(made, type) else made
    except TypeError as error:
        raise ValueError(f"{name}() needs arguments ({error}); name a layer made from it instead") from None
    except Exception as error:
        raise ValueError(_told(error, f"{what} cannot be made")) from error


def _without_drive(what: str) -> str:
    """A path without the drive ("C:") of a Windows path, on any system."""
    return what[2:] if what[1:3] in (":\\", ":/") else what


def _told(error: Exception, what: str) -> str:
    """One line with an exception of the user's code and its place."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    return f"{what}: {type(error).__name__}{place}: {error}"


def _shape(text: str) -> tuple[int, ...]:
    try:
        shape = tuple(int(n) for n in text.split(","))
    except ValueError:
        shape = ()
    if not shape or min(shape) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no shape; expected whole numbers such as 28,28")
    return shape
