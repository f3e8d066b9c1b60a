import sys
from pathlib import Path

from npae.utils.version import __version__

project = "npae"
author = project_copyright = "The npae developers"
release = __version__
sys.path.insert(0, str(Path(__file__).parent / "_ext"))
extensions = [
    "class_links",
    "explorer_page",
    "mathml",
    "myst_parser",
    "short_sidebar",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_gallery.gen_gallery",
]
html_math_renderer = "mathml"
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_js_files = ["accessible.js"]
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",  # all are run, in the order of their names
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "image_scrapers": ("matplotlib",),
    "write_computation_times": False,  # its pages load a script from elsewhere
}
highlight_language = "text"  # a block without a language is no Python
html_theme = "furo"
html_title = "npae"
templates_path = ["_templates"]
autodoc_member_order = "bysource"
autodoc_typehints = "none"
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
