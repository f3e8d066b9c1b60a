"""The failing case of a check as a small script: its arrays, the true results, and a call under Python's debugger."""

import sys
from typing import Any

import numpy as np

from npae.learn.catalogue.exercise import Exercise
from npae.learn.judging.outcome import Outcome

NAME = "case.py"
FIRST = "# npae learn show: "
END = """
if __name__ == "__main__":
    import pdb

    print("n steps to the next line, p NAME prints a value, c goes on to the end, q quits")
    results = pdb.runcall({module}.{function}, {arguments})
    results = results if isinstance(results, (tuple, list)) else (results,)
    for name, yours, right in zip({names}, results, true, strict=False):
        print(f"{{name}}, yours, of shape {{np.shape(yours)}}:\\n{{yours}}")
        print(f"{{name}}, true, of shape {{np.shape(right)}}:\\n{{right}}")
"""


def is_script(text: str) -> bool:
    """Whether ``script`` wrote a file."""
    return text.startswith(FIRST)


def script(exercise: Exercise, outcome: Outcome) -> str:
    """The script for the case at which a check has failed.

    Parameters
    ----------
    exercise : Exercise
    outcome : Outcome
        With ``case``: that of a check that failed in a call.
    """
    case = outcome.case
    assert case is not None
    function, arguments = case.function, case.arguments()
    lines = [
        f"{FIRST}a case at which {exercise.file_name} fails. Run it: python {NAME}",
        "import numpy as np",
        "from numpy import array, inf, nan",
        "",
        f"import {exercise.name}",
        "",
    ]
    for name, value in zip(function.takes, arguments, strict=True):
        lines.append(f"{name} = {_code(value)}{_shape(value)}")
    truth = [case.truth[name] for name in function.returns]
    lines.append("")
    for name, value in zip(function.returns, truth, strict=True):
        lines.append(f"true_{name} = {_code(value)}{_shape(value)}")
    true = ", ".join(f"true_{name}" for name in function.returns)
    lines.append(f"true = ({true},)")
    for block in outcome.blocks:
        if block.function == function.name and block.index is not None:
            place = f"{block.name}{list(block.index) if block.index else ''}"
            lines.append(f"# {place}: yours {block.yours!r}, true {block.true!r}")
    names = {
        "module": exercise.name,
        "function": function.name,
        "arguments": ", ".join(function.takes),
        "names": tuple(function.returns),
    }
    return "\n".join(lines) + "\n" + END.format(**names)


def _code(value: Any) -> str:
    """A value as Python code, each number with all of its digits."""
    if isinstance(value, np.ndarray) and value.ndim:
        if not value.size:
            return f"np.zeros({value.shape})"
        options: Any = {"separator": ", ", "threshold": sys.maxsize, "max_line_width": 110, "floatmode": "unique"}
        return f"array({np.array2string(value, prefix='    ', **options)})"
    if isinstance(value, np.ndarray):
        return repr(value.item())
    if isinstance(value, tuple):
        return "(" + "".join(f"{_code(part)}, " for part in value) + ")"
    return repr(value)


def _shape(value: Any) -> str:
    return f"  # {value.shape}" if isinstance(value, np.ndarray) and value.ndim else ""
