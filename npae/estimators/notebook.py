"""Estimators as HTML for a notebook: parameters that differ from the defaults, the network, and the loss.

Text has the colour of the notebook's theme, so that it can be read in a dark one too.
"""

from html import escape
from typing import Any

from npae.network.drawing import list_rows
from npae.utils.curves import loss_curves
from npae.utils.signature import arguments_of
from npae.utils.wording import counted

BLOCK = "border:1px solid currentColor;border-radius:6px;padding:2px 8px;margin:2px 0;text-align:center"
ROW = "display:flex;flex-wrap:wrap;gap:4px 6px;align-items:center"


def as_html(model: Any) -> str:
    """A fitted or unfitted estimator."""
    defaults = arguments_of(type(model))
    changed = {k: v for k, v in model.get_params().items() if repr(v) != repr(defaults[k].default)}
    cells = "".join(
        f'<tr><th scope="row" style="text-align:left">{escape(name)}</th>'
        f'<td style="text-align:left">{escape(repr(value))}</td></tr>'
        for name, value in changed.items()
    )
    parameters = f"<table><tbody>{cells}</tbody></table>" if cells else "<p>All parameters have their defaults.</p>"
    network = _network(model) if hasattr(model, "network_") else "<p>Not fitted yet.</p>"
    return f"<div><p><b>{escape(type(model).__name__)}</b></p>{parameters}{network}</div>"


def _network(model: Any) -> str:
    """The network as a row of blocks with shapes, and the loss curve."""
    blocks = '<span aria-hidden="true">→</span>'.join(
        f'<span style="{BLOCK}">{escape(row.text)}<br>{"×".join(map(str, row.shape))}</span>'
        for row in list_rows(model.network_)
    )
    parameters = counted(model.network_.arena.parameter_count(), "parameter")
    epochs = counted(model.n_iter_, "epoch")
    return f'<div style="{ROW}">{blocks}</div><p>{parameters}; {epochs}.</p>{loss_curves(model.history_)}'
