"""Sphinx extension: equations as MathML, which browsers typeset themselves.

Sphinx's own renderers load a script from another server, or make images with a LaTeX installation. The pages of this
documentation contain the equations as markup, so they can be read without a network, and by screen readers.
"""

import re
from typing import Any

from docutils.nodes import SkipNode
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

logger = logging.getLogger(__name__)


#: Fractions such as \\frac12, which TeX reads as one half, and the converter as twelve over what follows.
UNBRACED = re.compile(r"\\frac\s*\d")
#: Functions before an argument without a bracket, between which TeX leaves a thin space, and the converter does not.
FUNCTION = re.compile(r"(\\(?:log|exp|tanh))\s+(?=[A-Za-z\\])")
#: A letter with an accent and an index, which the converter sets below the letter, as that of a sum.
ACCENTED = re.compile(
    r"<munderover>\s*(<mi>[^<]*</mi>)\s*(<m[in]>[^<]*</m[in]>|<mrow>(?:(?!</?mrow>).)*</mrow>)\s*"
    r'(<mo stretchy="false">[^<]</mo>)\s*</munderover>',
    re.DOTALL,
)


def markup(node: Any, *, as_block: bool) -> str:
    """The MathML of an equation; what cannot be converted is reported with its place in the documentation."""
    equation = node.astext()
    try:
        if UNBRACED.search(equation):
            raise MathError("a fraction needs braces, as in \\frac{1}{2}")
        converted = str(tex2mathml(FUNCTION.sub(r"\1\\,", equation), as_block=as_block))
        return ACCENTED.sub(r'<msub><mover accent="true">\1\3</mover>\2</msub>', converted)
    except MathError as error:
        logger.warning("this equation cannot be converted to MathML: %s", error, location=node)
        return ""


def visit_inline(writer: Any, node: Any) -> None:
    """Write the equation within a sentence, in place of the node's text."""
    writer.body.append(markup(node, as_block=False))
    raise SkipNode


def visit_block(writer: Any, node: Any) -> None:
    """Write the equation as a paragraph of its own, which scrolls where it is wider than the screen."""
    writer.body.append(f'<div class="equation" tabindex="0">{markup(node, as_block=True)}</div>\n')
    raise SkipNode


def setup(app: Any) -> dict[str, bool]:
    """Register the renderer, whose name is that of ``html_math_renderer`` in conf.py."""
    app.add_html_math_renderer("mathml", inline_renderers=(visit_inline, None), block_renderers=(visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
