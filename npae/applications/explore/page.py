"""The explorer as one HTML file: style, JavaScript and data within it, and a policy that forbids any request."""

import base64
import hashlib
import json
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from npae.utils.version import __version__

#: The modules of JavaScript, in an order in which each follows those whose constants it uses.
MODULES = (
    "arrays",
    "random",
    "layers_dense",
    "layers_elementwise",
    "layers_convolution",
    "layers_pooling",
    "layers_upsampling",
    "layers_code",
    "losses",
    "network",
    "mistakes",
    "mistakes_images",
    "mistakes_code",
    "mistakes_offered",
    "numeric",
    "api",
    "dom",
    "picture",
    "app",
    "fragment",
    "marks",
    "projection",
    "map",
    "map_pointers",
    "map_drawing",
    "handle",
    "map_panel",
    "decoded",
    "sliders",
    "path",
    "drawing",
    "noise",
    "gaussian",
    "explorer",
    "heatmap",
    "microscope",
    "blocks",
    "layer_view",
    "unit_view",
    "weight_view",
    "mistake_view",
    "update_view",
    "main",
)


def page(title: str, about: str, data: dict[str, Any]) -> str:
    """The page; ``title`` and ``about`` are texts, ``data`` what ``content`` returns."""
    script, style = _script(), _style()
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; base-uri 'none'; "
        f"form-action 'none'"
    )
    return PAGE.format(
        policy=policy,
        title=_text(title),
        about=_text(about),
        style=style,
        data=json_in_html(data),
        script=script,
        version=escape(__version__),
    )


def _text(text: str) -> str:
    """``text`` as HTML; what UTF-8 has no bytes for, as in a file name of another encoding, becomes "?"."""
    return escape(text).encode("utf-8", "replace").decode("utf-8")


def json_in_html(data: Any) -> str:
    """JSON that can stand within a script element: nothing in it ends the element or begins a comment."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


@cache
def _script() -> str:
    folder = files(__package__) / "js"
    modules = "\n".join((folder / f"{name}.js").read_text(encoding="utf-8") for name in MODULES)
    return f'(() => {{\n"use strict";\n{modules}}})();\n'


@cache
def _style() -> str:
    return (files(__package__) / "page.css").read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """A source of a Content Security Policy that allows this text and no other."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="npae {version}">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header><h1>{title}</h1><p>{about}</p><nav aria-label="Views"></nav></header>
<main><noscript><p>This page computes the network in JavaScript, which is switched off here.</p></noscript></main>
<footer><p>npae {version}. This page makes no requests; all is computed here.</p></footer>
<div id="live" class="hidden" role="status" aria-live="polite"></div>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>
</body>
</html>
"""
