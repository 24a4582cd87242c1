"""How Sphinx builds the site; docs/site/build.py writes its sources and calls it."""

import importlib.util

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
pygments_style = "friendly"

# Links to headings are those of GitHub.
myst_heading_anchors = 6
myst_enable_extensions = ["attrs_inline"]

# Docstrings are in Google's style, with Markdown's single backticks for code.
default_role = "literal"
napoleon_numpy_docstring = False
napoleon_use_ivar = True
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
# Libraries of adapters need not be there.
_ADAPTED = ("torch", "nemo_curator", "datatrove", "daft", "dask", "polars", "pandas", "duckdb")
autodoc_mock_imports = [one for one in _ADAPTED if importlib.util.find_spec(one) is None]
