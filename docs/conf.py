"""Sphinx configuration: `sphinx-build -W -b html docs docs/_build/html`, without network."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]

import gallery  # noqa: E402
import matplotlib  # noqa: E402

import maxmargin  # noqa: E402

matplotlib.use("agg")

project = "maxmargin"
author = "the maxmargin developers"
copyright = "2026, the maxmargin developers"
version = release = maxmargin.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "sphinx_gallery.gen_gallery",
    "generated",
]
exclude_patterns = ["_build", "_gallery"]
autosummary_generate = True
autodoc_typehints = "none"
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
autodoc_default_options = {
    "members": True,
    "exclude-members": "set_score_request, set_fit_request, set_predict_request, get_metadata_routing",
}
default_role = "code"  # docstrings and pages write `name` for code

sphinx_gallery_conf = {
    "examples_dirs": [str(gallery.prepare(HERE))],
    "gallery_dirs": ["gallery"],
    "filename_pattern": r"\d_.*\.py",
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "show_memory": False,
    "min_reported_time": 1e9,
    "abort_on_example_error": True,
    "image_scrapers": ("matplotlib",),
    "write_computation_times": False,
}

html_theme = "alabaster"
html_title = "maxmargin"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
html_sidebars = {"**": ["about.html", "searchfield.html", "navigation.html"]}
html_theme_options = {
    "description": "Certified max margins of wide two-layer networks, and the flows that converge to them.",
    "fixed_sidebar": True,
    "page_width": "1120px",
    "sidebar_width": "250px",
    "font_family": "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif",
    "show_powered_by": False,
    "font_size": "16px",
    "code_font_size": "0.86em",
}
suppress_warnings = ["config.cache"]
