"""Labels of any kind, and the whole numbers that stand for them in a conditional model."""

from typing import Any

import numpy as np

from npae.utils.errors import quoted
from npae.utils.types import Array
from npae.utils.validation import check_labels

KINDS = "biufU"  # of NumPy: booleans, whole and other numbers, texts
SHOWN = 10  # labels in a message


def label_array(labels: Any, n: int, what: str) -> Array:
    """Labels (n,) as an array of booleans, numbers or texts.

    Raises
    ------
    ValueError
        If they are not ``n``, are missing, are of several kinds, or are neither numbers nor texts.
    """
    if isinstance(labels, list | tuple) and len({isinstance(label, str) for label in labels}) > 1:
        raise ValueError(f"{what} are partly texts and partly numbers; give labels of one kind")
    array = check_labels(labels, n, what)
    if array.dtype.kind == "O" and all(isinstance(label, str) for label in array):
        array = array.astype(str)
    if array.dtype.kind not in KINDS:
        raise ValueError(f"{what} are of type {array.dtype}, but have to be numbers or texts; convert them")
    return array


def numbered(labels: Any, n: int, what: str) -> tuple[Array, Array]:
    """The different labels in order, and for each sample the place (n,) of its label among them."""
    classes, places = np.unique(label_array(labels, n, what), return_inverse=True)
    return classes, places.astype(np.int64)


def places_of(labels: Any, classes: Array, n: int, what: str) -> Array:
    """The place (n,) of each label among ``classes``.

    Raises
    ------
    ValueError
        If a label is none of them, or as ``label_array`` raises it.
    """
    array = label_array(labels, n, what)
    known = {label: place for place, label in enumerate(classes.tolist())}
    found = [known.get(label) for label in array.tolist()]
    if None in found:
        unknown = array.tolist()[found.index(None)]
        raise ValueError(
            f"{what} have {quoted(unknown)}, which the model was not fitted with; it knows {listed(classes)}"
        )
    return np.array(found, np.int64)


def listed(classes: Array) -> str:
    """The first few labels, and how many there are."""
    more = f", … ({len(classes)} in all)" if len(classes) > SHOWN else ""
    return ", ".join(quoted(label) for label in classes.tolist()[:SHOWN]) + more


def as_typed(text: str, classes: Array) -> Any:
    """A label written as text: itself among texts, or the one of the numbers that it writes."""
    if classes.dtype.kind == "U":
        return text
    for label in classes.tolist():
        if text == str(label):
            return label
    try:
        return float(text)
    except ValueError:
        return text


def describe(classes: Array) -> dict[str, Any]:
    """The labels as plain JSON, for a model file."""
    kind = "str" if classes.dtype.kind == "U" else classes.dtype.name
    return {"kind": kind, "values": classes.tolist()}


def described(record: Any) -> Array:
    """The labels from the result of ``describe``; raises ValueError if there are none, or not as it writes them."""
    kind, values = record["kind"], record["values"]
    if not isinstance(kind, str) or not isinstance(values, list) or not values:
        raise ValueError("the labels are no list of a kind")
    classes = label_array(values, len(values), "the labels") if kind == "str" else np.array(values, dtype=kind)
    if describe(np.unique(classes)) != {"kind": kind, "values": values} or classes.dtype.kind not in KINDS:
        raise ValueError("the labels are not different values of one kind, in order")
    return classes
