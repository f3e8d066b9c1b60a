"""Sphinx extension: in the type of an argument only the name of a class is a link.

Types are phrases, such as "ndarray of shape (n,)". Sphinx looks up each of their words as a name, so that "shape" would
be a link to an attribute called so, of an unrelated class.
"""

from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref


def unlink_words(app: Any, doctree: nodes.document) -> None:
    """Leave the text alone of what fields link to, unless it is written with a capital, as classes are."""
    for link in list(doctree.findall(pending_xref)):
        is_written_as_role = "refwarn" in link
        name = str(link["reftarget"]).rpartition(".")[2]
        if link.get("refdomain") == "py" and not is_written_as_role and not name[:1].isupper():
            link.replace_self(link.children)


def setup(app: Any) -> dict[str, bool]:
    """Take part before names are looked up."""
    app.connect("doctree-read", unlink_words)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
