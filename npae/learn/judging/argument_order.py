"""Whether a function that fails takes its arguments in another order than the one in which it is called."""

from collections.abc import Iterator, Sequence
from itertools import combinations, permutations

from npae.learn.judging.cases import Case
from npae.learn.judging.identify import SAME, apart
from npae.learn.sandbox.call_result import Caller

FEW = 4  # arguments of which every order is tried; of more, those in which two are exchanged


def order_taken(caller: Caller, function: str, cases: Sequence[Case]) -> list[str] | None:
    """The names of the arguments in an order in which all results are right, or None where there is none.

    Parameters
    ----------
    caller : Caller
    function : str
    cases : sequence of Case
        With all of which the results are compared; in the order that is asked for some are wrong.
    """
    takes = cases[0].function.takes
    for order in _other_orders(len(takes)):
        if all(_is_right(caller, function, case, order) for case in cases):
            return [takes[place] for place in order]
    return None


def _other_orders(n: int) -> Iterator[tuple[int, ...]]:
    if n <= FEW:
        yield from list(permutations(range(n)))[1:]
        return
    for i, k in combinations(range(n), 2):
        order = list(range(n))
        order[i], order[k] = k, i
        yield tuple(order)


def _is_right(caller: Caller, function: str, case: Case, order: Sequence[int]) -> bool:
    arguments = case.arguments()
    values = caller.call(function, [arguments[place] for place in order]).values
    truth = [case.truth[name] for name in case.function.returns]
    return (
        values is not None
        and len(values) == len(truth)
        and all(apart(value, true) <= SAME for value, true in zip(values, truth, strict=True))
    )
