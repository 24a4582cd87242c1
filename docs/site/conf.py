"""How Sphinx builds the site; docs/site/build.py writes its sources and calls it."""

import importlib.util

from sphinx.application import Sphinx

from dsir.version import __version__

project = "dsir"
author = "The dsir authors"
project_copyright = author
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
html_theme = "furo"
html_title = f"dsir {__version__}"
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
html_static_path = ["static"]
html_css_files = ["dsir.css"]
smartquotes_action = "D"  # Dashes of field lists only; quotes are those of code.
pygments_style = "friendly"

# Links to headings are those of GitHub.
myst_heading_anchors = 6
myst_enable_extensions = ["attrs_inline"]

# Docstrings are in Google's style, with Markdown's single backticks for code; names become links.
default_role = "py:obj"
napoleon_numpy_docstring = False
napoleon_use_ivar = True
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
# Libraries of adapters need not be there.
_ADAPTED = ("torch", "nemo_curator", "datatrove", "daft", "dask", "polars", "pandas", "duckdb")
autodoc_mock_imports = [one for one in _ADAPTED if importlib.util.find_spec(one) is None]
# Names of attributes that several classes have are words in docstrings, and no references.
suppress_warnings = ["ref.python"]


# Napoleon takes what is before a colon in the docstring of a property for its type. Ours say there
# what the value is, so their colons are hidden from it.
_COLON = "\N{MODIFIER LETTER COLON}"


def setup(app: Sphinx) -> None:
    """Read the docstrings of properties as they are."""
    app.connect("autodoc-process-docstring", _hide_colons, priority=100)
    app.connect("autodoc-process-docstring", _show_colons, priority=900)


def _hide_colons(
    app: Sphinx, what: str, name: str, one: object, options: object, lines: list[str]
) -> None:
    del app, name, one, options
    if what in ("attribute", "data", "property") and lines:
        lines[0] = lines[0].replace(":", _COLON)


def _show_colons(
    app: Sphinx, what: str, name: str, one: object, options: object, lines: list[str]
) -> None:
    del app, what, name, one, options
    lines[:] = [line.replace(_COLON, ":") for line in lines]
