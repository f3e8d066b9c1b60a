"""Wrong gradients of one step of a recurrent network: plain, LSTM and GRU cells.

The gates lie beside each other in Wx (D, k·H), Wh (H, k·H) and b, in any order::

    plain   h' = tanh(a)                      a = x Wx + h Wh + b
    LSTM    c' = f c + i u,  h' = o tanh c'   i, f, o = σ(aᵢ), σ(a_f), σ(aₒ);  u = tanh(aᵤ)
    GRU     h' = (1 − z) n + z h              r, z = σ(aᵣ), σ(a_z);  n = tanh of its part, in which r multiplies h Wh
"""

from collections.abc import Iterator, Mapping
from itertools import permutations
from typing import Any

import numpy as np

from npae.gradcheck.bugs.activation import sigmoid
from npae.gradcheck.bugs.layouts import FLAT, TRANSPOSED, Layout
from npae.gradcheck.bugs.registry import BugCase, Gradients, Kind, add, bug
from npae.utils.types import Array

Parts = dict[str, Array]
INPUTS = "x h Wx Wh b"


class Cell(Kind):
    """The next state from an input x (N, D) and a state h (N, H)."""

    inputs: tuple[str, ...] = ("x", "h", "Wx", "Wh", "b")
    optional = ("b",)
    blocks: tuple[str, ...] = ("x", "h", "Wx", "Wh", "b")
    layouts = (Layout({"b": FLAT}), Layout({"Wx": TRANSPOSED, "Wh": TRANSPOSED, "b": FLAT}))
    n_gates = 1

    def draw(self, rng: np.random.Generator, **special: bool) -> dict[str, Any]:
        k = 3 * self.n_gates
        return {
            "x": rng.standard_normal((2, 4)),
            "h": rng.standard_normal((2, 3)),
            "Wx": rng.standard_normal((4, k)) / 2,
            "Wh": rng.standard_normal((3, k)) / 2,
            "b": rng.standard_normal(k) / 2,
        }

    def fits(self, arrays: Mapping[str, Array], outputs: list[Array]) -> bool:
        """Whether the shapes are those of this cell."""
        x, h, Wx, Wh, b = (arrays[name] for name in ("x", "h", "Wx", "Wh", "b"))
        if not x.ndim == h.ndim == Wx.ndim == Wh.ndim == 2:
            return False
        k = self.n_gates * h.shape[1]
        shapes = Wx.shape == (x.shape[1], k) and Wh.shape == (h.shape[1], k) and len(x) == len(h)
        return shapes and (b is None or b.shape == (k,)) and all(y.shape == h.shape for y in outputs)


def linear_parts(c: BugCase) -> tuple[Array, Array]:
    """x Wx + b, and h Wh."""
    from_x: Array = c.x @ c.Wx
    from_h: Array = c.h @ c.Wh
    return (from_x if c.b is None else from_x + c.b), from_h


def before_gates(c: BugCase) -> Array:
    """a."""
    from_x, from_h = linear_parts(c)
    a: Array = from_x + from_h
    return a


def split(a: Array, order: str) -> Parts:
    """The parts of the gates, by letter."""
    return dict(zip(order, np.split(a, len(order), axis=1), strict=True))


def joined(parts: Parts, order: str) -> Array:
    """The parts of the gates beside each other."""
    return np.concatenate([parts[letter] for letter in order], axis=1)


def from_a(c: BugCase, da: Array) -> tuple[Array, Array, Array, Array, Array]:
    """The gradients by x, h, Wx, Wh and b, from that by a."""
    return da @ c.Wx.T, da @ c.Wh.T, c.x.T @ da, c.h.T @ da, da.sum(axis=0)


@add
class Plain(Cell):
    """h' = tanh(x Wx + h Wh + b): da = g (1 − h'²)."""

    name = "rnn-cell"

    def forward(self, c: BugCase) -> Array:
        y: Array = np.tanh(before_gates(c))
        return y

    def backward(self, c: BugCase) -> Gradients:
        return dict(zip(self.blocks, from_a(c, c.g * (1 - c.y**2)), strict=True))

    def options(self, arrays: Mapping[str, Array], outputs: list[Array]) -> Iterator[dict[str, Any]]:
        if self.fits(arrays, outputs) and len(outputs) == 1:
            yield {}


@bug("rnn-cell", INPUTS, "da = g", "The state went through tanh, whose slope is a factor.", number=157)
def no_slope(c: BugCase) -> Any:
    return from_a(c, c.g)


@bug("rnn-cell", INPUTS, "da = g(1 − a²)", "tanh′ = 1 − tanh²: it is written in terms of the output.", number=158)
def slope_at_input(c: BugCase) -> Any:
    return from_a(c, c.g * (1 - before_gates(c) ** 2))


@bug("rnn-cell", INPUTS, "da = g(1 − h')", "tanh² + sech² = 1: look at the powers.", number=159)
def tanh_unsquared(c: BugCase) -> Any:
    return from_a(c, c.g * (1 - c.y))


@bug(
    "rnn-cell",
    "h",
    "dh = da Wh",
    "Each entry of h feels every output: along which axis of Wh must the sum run?",
    number=195,
    name="no-transpose",
)
def state_untransposed(c: BugCase) -> Any:
    return c.g * (1 - c.y**2) @ c.Wh


@bug("rnn-cell", "Wh", "dWh = h'ᵀ da", "Wh was multiplied by the state before the step.", number=160)
def new_state(c: BugCase) -> Any:
    return c.y.T @ (c.g * (1 - c.y**2))


@add
class LongShortTerm(Cell):
    """(h', c') or h' of an LSTM cell; the output gate is o, the candidate u."""

    name = "lstm-cell"
    inputs = ("x", "h", "Wx", "Wh", "c", "b")
    blocks = ("x", "h", "Wx", "Wh", "c", "b")
    n_gates = 4

    def draw(self, rng: np.random.Generator, **special: bool) -> dict[str, Any]:
        return {**super().draw(rng), "c": 2 * rng.standard_normal((2, 3)), "order": "ifou", "gives": "hc"}

    def forward(self, c: BugCase) -> Any:
        s = lstm_states(c)
        return {"hc": (s["h"], s["c"]), "ch": (s["c"], s["h"]), "h": s["h"]}[c.gives]

    def backward(self, c: BugCase) -> Gradients:
        return dict(zip((*INPUTS.split(), "c"), lstm(c), strict=True))

    def options(self, arrays: Mapping[str, Array], outputs: list[Array]) -> Iterator[dict[str, Any]]:
        if self.fits(arrays, outputs) and arrays["c"].shape == arrays["h"].shape:
            for order in permutations("ifou"):
                for gives in ("h",) if len(outputs) == 1 else ("hc", "ch"):
                    yield {"order": "".join(order), "gives": gives}


def lstm_states(c: BugCase) -> Parts:
    """The gates, and the new h and c."""
    s = {n: np.tanh(a) if n == "u" else sigmoid(a) for n, a in split(before_gates(c), c.order).items()}
    s["c"] = s["f"] * c.c + s["i"] * s["u"]
    s["h"] = s["o"] * np.tanh(s["c"])
    return s


def lstm(c: BugCase, **changed: Any) -> tuple[Array, ...]:
    """The gradients by x, h, Wx, Wh, b and c; ``changed`` replaces an intermediate value by a function of (s, d).

    s holds the states, d the gradients so far: of the new state ("h", "c"), of the gates, and of the old state ("old").
    """
    s = lstm_states(c)
    above = dict(zip(c.gives, c.g if isinstance(c.g, tuple) else (c.g,), strict=True))
    d: dict[str, Any] = {"h": above["h"], "above": above.get("c", 0.0)}

    def value(name: str, right: Any) -> Any:
        return changed[name](s, d) if name in changed else right

    d["c"] = value("cell", d["above"] + d["h"] * s["o"] * (1 - np.tanh(s["c"]) ** 2))
    gates = {"i": d["c"] * s["u"], "f": d["c"] * c.c, "o": d["h"] * np.tanh(s["c"]), "u": d["c"] * s["i"]}
    slopes = {n: 1 - s[n] ** 2 if n == "u" else s[n] * (1 - s[n]) for n in "ifou"}
    parts = {n: value(n, gates[n]) * value(f"slope_{n}", slopes[n]) for n in "ifou"}
    return *from_a(c, joined(parts, c.order)), value("old", d["c"] * s["f"])


LSTM_BLOCKS = f"{INPUTS} c"


@bug("lstm-cell", LSTM_BLOCKS, "dc' without dh·o·(1 − tanh²c')", "h' is made from c' too.", number=161)
def no_path_through_h(c: BugCase) -> Any:
    return lstm(c, cell=lambda s, d: d["above"] + 0 * s["c"])


@bug("lstm-cell", LSTM_BLOCKS, "dc' without the gradient by c'", "The cell state is an output as well.", number=162)
def drops_cell(c: BugCase) -> Any:
    return lstm(c, cell=lambda s, d: d["h"] * s["o"] * (1 - np.tanh(s["c"]) ** 2))


@bug("lstm-cell", LSTM_BLOCKS, "dc' += dh·o·(1 − c'²)", "tanh′ = 1 − tanh².", number=163)
def cell_for_tanh(c: BugCase) -> Any:
    return lstm(c, cell=lambda s, d: d["above"] + d["h"] * s["o"] * (1 - s["c"] ** 2))


@bug("lstm-cell", "c", "dc = dc'", "The old cell state was multiplied by the forget gate.", number=164)
def no_forget(c: BugCase) -> Any:
    return lstm(c, old=lambda s, d: d["c"])[-1]


@bug("lstm-cell", INPUTS, "df = dc'·c'", "The forget gate multiplied the old cell state.", number=165)
def new_cell(c: BugCase) -> Any:
    return lstm(c, f=lambda s, d: d["c"] * s["c"])[:-1]


@bug("lstm-cell", INPUTS, "do = dh·c'", "The output gate multiplied tanh c'.", number=166)
def output_times_cell(c: BugCase) -> Any:
    return lstm(c, o=lambda s, d: d["h"] * s["c"])[:-1]


@bug("lstm-cell", INPUTS, "the candidate with a gate's slope u(1 − u)", "The candidate is a tanh.", number=167)
def candidate_as_gate(c: BugCase) -> Any:
    return lstm(c, slope_u=lambda s, d: s["u"] * (1 - s["u"]))[:-1]


@bug("lstm-cell", INPUTS, "gates without the slope σ(1 − σ)", "Each gate went through a sigmoid.", number=168)
def no_gate_slopes(c: BugCase) -> Any:
    return lstm(c, **{f"slope_{n}": lambda s, d: 1.0 for n in "ifo"})[:-1]


@add
class Gated(Cell):
    """h' of a GRU cell: r multiplies h before or after Wh, and z keeps the old state or takes the new one."""

    name = "gru-cell"
    n_gates = 3

    def draw(self, rng: np.random.Generator, **special: bool) -> dict[str, Any]:
        return {**super().draw(rng), "order": "rzn", "before": False, "keeps": True}

    def forward(self, c: BugCase) -> Array:
        s = gru_states(c)
        y: Array = s["keep"] * c.h + (1 - s["keep"]) * s["n"]
        return y

    def backward(self, c: BugCase) -> Gradients:
        return dict(zip(self.blocks, gru(c), strict=True))

    def options(self, arrays: Mapping[str, Array], outputs: list[Array]) -> Iterator[dict[str, Any]]:
        if self.fits(arrays, outputs) and len(outputs) == 1:
            for order in permutations("rzn"):
                for before, keeps in ((False, True), (False, False), (True, True), (True, False)):
                    yield {"order": "".join(order), "before": before, "keeps": keeps}


def gru_states(c: BugCase) -> Parts:
    """The gates r and z, the candidate n, the fraction of h that is kept, and n's part that comes from h, unreset."""
    from_x, from_h = (split(part, c.order) for part in linear_parts(c))
    r, z = (sigmoid(from_x[letter] + from_h[letter]) for letter in "rz")
    reset = (r * c.h) @ split(c.Wh, c.order)["n"] if c.before else r * from_h["n"]
    return {"r": r, "z": z, "n": np.tanh(from_x["n"] + reset), "keep": z if c.keeps else 1 - z, "from_h": from_h["n"]}


def gru(c: BugCase, **changed: Any) -> tuple[Array, ...]:
    """The gradients by x, h, Wx, Wh and b; ``changed`` replaces an intermediate value by a function of the states."""
    s = gru_states(c)

    def value(name: str, right: Any) -> Any:
        return changed[name](s) if name in changed else right

    W = split(c.Wh, c.order)
    dn = c.g * (1 - s["keep"]) * value("slope_n", 1 - s["n"] ** 2)
    dz = c.g * (c.h - s["n"]) * value("sign_z", 1.0 if c.keeps else -1.0) * value("slope_z", s["z"] * (1 - s["z"]))
    r = value("r", s["r"])
    by_reset = (dn @ W["n"].T) * c.h if c.before else dn * s["from_h"]
    da = {"r": by_reset * s["r"] * (1 - s["r"]), "z": dz, "n": dn}
    dh = da["r"] @ W["r"].T + da["z"] @ W["z"].T + value("carried", c.g * s["keep"])
    dh = dh + ((dn @ W["n"].T) * r if c.before else (dn * r) @ W["n"].T)
    dW = {n: c.h.T @ da[n] for n in "rz"} | {"n": (r * c.h).T @ dn if c.before else c.h.T @ (dn * r)}
    all_a = joined(da, c.order)
    return all_a @ c.Wx.T, dh, c.x.T @ all_a, joined(dW, c.order), all_a.sum(axis=0)


@bug("gru-cell", "h", "dh without the part that z carries over", "A part of h reaches h' directly.", number=169)
def not_carried(c: BugCase) -> Any:
    return gru(c, carried=lambda s: 0.0)[1]


@bug("gru-cell", INPUTS, "dz with the other sign", "If z rises, the part of one state rises, not of both.", number=170)
def update_sign(c: BugCase) -> Any:
    return gru(c, sign_z=lambda s: -1.0 if c.keeps else 1.0)


@bug("gru-cell", "h Wh", "the candidate's part without r", "The reset gate is a factor on h's way.", number=171)
def no_reset(c: BugCase) -> Any:
    return gru(c, r=lambda s: np.ones_like(s["r"]))[1::2]


@bug("gru-cell", INPUTS, "dz without the slope z(1 − z)", "The update gate went through a sigmoid.", number=172)
def no_gate_slope(c: BugCase) -> Any:
    return gru(c, slope_z=lambda s: 1.0)


@bug("gru-cell", INPUTS, "dn with the slope 1 − n", "tanh² + sech² = 1.", number=173, name="tanh-unsquared")
def candidate_unsquared(c: BugCase) -> Any:
    return gru(c, slope_n=lambda s: 1 - s["n"])
