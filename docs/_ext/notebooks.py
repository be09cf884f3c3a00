"""Executed notebooks as pages: the cells and the stored outputs, without running anything."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import gallery

HERE = Path(__file__).resolve().parent.parent


def page(name: str) -> Iterable[str]:
    """One notebook of ``docs/notebooks`` as reStructuredText."""
    document = json.loads((HERE / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))
    for cell in document["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            yield from (*gallery.restructured(source.splitlines()), "")
            continue
        yield from (".. code-block:: python", "", *_indented(source), "")
        for output in cell["outputs"]:
            yield from _output(output)


def _output(output: dict[str, Any]) -> Iterable[str]:
    data = output.get("data", {})
    if "text/html" in data:
        yield from (".. raw:: html", "", *_indented("".join(data["text/html"])), "")
    elif "image/png" in data:
        image = "".join(data["image/png"]).replace("\n", "")
        yield from (".. raw:: html", "", f'   <img alt="figure of this cell" src="data:image/png;base64,{image}">', "")
    elif output.get("text"):
        yield from (".. code-block:: text", "", *_indented("".join(output["text"])), "")


def _indented(text: str) -> list[str]:
    return [f"   {line}".rstrip() for line in text.splitlines()]
