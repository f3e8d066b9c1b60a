"""Sphinx extension: pages of the reference have a sidebar of chapters alone.

The theme writes all pages of the documentation into the sidebar of each; with two hundred pages of the reference that
takes most of the time of a build.
"""

from typing import Any


def limit_depth(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Give the theme, on a page of the reference, a table of contents of one level."""
    toctree = context.get("toctree")
    if page.startswith("api/") and toctree is not None:
        context["toctree"] = lambda **options: toctree(**{**options, "maxdepth": 1})


def setup(app: Any) -> dict[str, bool]:
    """Take part before the theme does."""
    app.connect("html-page-context", limit_depth, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
