"""npae gradcheck module:function: find the function's gradient, draw inputs, and check it."""

import argparse
import inspect
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from npae.cli.imported import import_named, in_one_line
from npae.utils.signature import arguments_of

if TYPE_CHECKING:
    import numpy as np

    from npae.gradcheck import Report

#: One input: 3x4, +3x4, 3x4:10, number, +number or =0.5.
INPUT = re.compile(r"(?P<sign>\+?)(?P<shape>[1-9]\d*(x[1-9]\d*)*|number)(:(?P<below>[1-9]\d*))?|=(?P<value>\S+)")

INPUTS_HELP = (
    "of a function, in its order: 3x4 draws an array of that shape, +3x4 one of positive numbers, 3x4:10 one of whole "
    "numbers from 0 to 9, number and +number one number, and =0.5 passes this number, which has no gradient"
)


def add_function_arguments(parser: argparse.ArgumentParser) -> None:
    """--inputs --backward --scalar --wrt --batch-axis, the options for a function."""
    # not "inputs": paths.py keeps the input files of a verb there
    parser.add_argument("--inputs", dest="drawn", metavar="3x4,4x5", type=input_list, help=INPUTS_HELP)
    parser.add_argument(
        "--backward",
        metavar="module:NAME",
        help="the gradient of the function (default: f_backward, backward_f, f_grad or grad_f beside a function f)",
    )
    parser.add_argument(
        "--scalar",
        action="store_true",
        help="the function is a loss, and its gradient takes the same arguments, without an upstream gradient",
    )
    parser.add_argument("--wrt", metavar="x,W", help="the inputs that have a gradient (default: all arrays drawn)")
    parser.add_argument(
        "--batch-axis", type=int, metavar="N", help="the axis of the samples; checks with 1, 2, 9 and 17 samples too"
    )


def input_list(text: str) -> list[str]:
    """The inputs of ``--inputs``, each as text."""
    inputs = text.split(",")
    for each in inputs:
        found = INPUT.fullmatch(each)
        if found is None or (found["value"] is not None and _number(found["value"]) is None):
            raise argparse.ArgumentTypeError(
                f"{each!r} is no input; expected a shape such as 3x4, whole numbers such as 3:10, or a value such as "
                f"=0.5"
            )
        if found["sign"] and found["below"]:
            raise argparse.ArgumentTypeError(f"{each!r} asks for positive and for whole numbers; leave out + or :")
    return inputs


def drawn_input(text: str, rng: "np.random.Generator") -> Any:
    """The input that a text of ``input_list`` describes: standard normal numbers, or from 0.2 to 2 with +."""
    import numpy as np

    found = INPUT.fullmatch(text)
    assert found is not None  # input_list has refused any other text
    if found["value"] is not None:
        return _number(found["value"])
    shape = () if found["shape"] == "number" else tuple(map(int, found["shape"].split("x")))
    if found["below"]:
        return np.asarray(rng.integers(0, int(found["below"]), shape))[()]
    numbers = rng.uniform(0.2, 2.0, shape) if found["sign"] else rng.standard_normal(shape)
    return np.asarray(numbers)[()]


def _number(text: str) -> int | float | None:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return None


def function_report(f: Callable[..., Any], args: argparse.Namespace, options: dict[str, Any]) -> "Report":
    """The report on the function ``args.what``, which is f."""
    import numpy as np

    from npae.gradcheck import check
    from npae.gradcheck.scalar import check_loss

    if args.drawn is None:
        raise ValueError(f"{args.what} is a function, and its inputs are not given; add --inputs, such as 3x4,4x5")
    name, backward = _gradient(args.what, args.backward)
    rng = np.random.default_rng(args.seed)
    inputs = [drawn_input(text, rng) for text in args.drawn]
    wrt = None if args.wrt is None else args.wrt.split(",")
    options |= {"mode": "fast" if args.fast else "full", "batch_axis": args.batch_axis}
    without_g = args.scalar or _takes_only(backward, len(inputs))
    try:
        report = (check_loss if without_g else check)(f, backward, inputs, wrt=wrt, **options)
    except ValueError as error:
        if _is_ours(error):
            raise
        raise ValueError(in_one_line(error, f"{args.what} cannot be run with --inputs")) from error
    except Exception as error:  # an exception of the user's code is reported; it is no verdict on the gradient
        raise ValueError(in_one_line(error, f"{args.what} cannot be run with --inputs")) from error
    if without_g and not args.scalar:
        report.notes.append(f"{name} takes {len(inputs)} arguments, so it was called without an upstream gradient")
    if args.backward is None:
        report.notes.append(f"the gradient checked is {name}")
    return report


def _gradient(what: str, given: str | None) -> tuple[str, Callable[..., Any]]:
    """The name of the gradient of the function ``what``, and the gradient."""
    module, _, name = what.rpartition(":")
    if given is not None:
        backward = import_named(given if ":" in given else f"{module}:{given}", "mypackage.losses:gradient")
        if not callable(backward):
            raise ValueError(f"--backward is {given}, which is no function; give the function that returns gradients")
        return given, backward
    usual = [f"{name}_backward", f"backward_{name}", f"{name}_grad", f"grad_{name}"]
    if name.endswith("_forward"):
        usual.append(name.removesuffix("_forward") + "_backward")
    found = {}
    for each in usual:
        try:
            found[each] = import_named(f"{module}:{each}")
        except ValueError:
            continue
    if len(found) != 1:
        which = f"{' and '.join(found)} are both" if found else f"none of {', '.join(usual)} is"
        raise ValueError(f"{which} in {module}; say which function is the gradient of {name} with --backward")
    return next(iter(found.items()))


def _takes_only(backward: Callable[..., Any], n: int) -> bool:
    """Whether a gradient takes n arguments, and not one more for the upstream gradient."""
    try:
        parameters = arguments_of(backward).values()
    except (TypeError, ValueError):
        return False
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return False
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    least = sum(p.default is inspect.Parameter.empty for p in positional)
    return least <= n and len(positional) == n


def _is_ours(error: ValueError) -> bool:
    """Whether npae raised an error, and not the code that it called."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and str(trace.tb_frame.f_globals.get("__name__", "")).startswith("npae.")
