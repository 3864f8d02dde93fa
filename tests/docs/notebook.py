"""Run the lesson's notebook and show it as a page, with what it printed and drew: `make notebook`."""

import base64
import io
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from tests.support.notebooks import execute
from tests.support.paths import DOCS

PAGE = DOCS / "tutorial" / "notebook.md"
PICTURES = DOCS / "images" / "notebook"
QUALITY = 85
"""Of WebP; enough for curves and greys, at a tenth of the bytes of PNG."""
INTRODUCTION = """<!-- Made by `make notebook` from src/gadoscope/notebooks/the-lesson.ipynb. -->

> This page is a notebook, run as you see it. To run it yourself: `pip install '.[notebook]'` in Gadoscope's
> folder, then `gadoscope notebook` writes `the-lesson.ipynb`, and `jupyter lab the-lesson.ipynb` opens it.
> Figures differ a little between machines.
"""
_PICTURE = re.compile(r"data:image/png;base64,([A-Za-z0-9+/=\s]+)")


class Gallery:
    """Writes pictures, numbered in their order, and says how a page names them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.n = folder, 0

    def add_png(self, encoded: str) -> str:
        """Write a PNG in base64 as WebP; return its path for the page."""
        buffer = io.BytesIO()
        with Image.open(io.BytesIO(base64.b64decode(encoded))) as picture:
            picture.convert("RGB").save(buffer, "webp", quality=QUALITY, method=6)
        return self._write("webp", buffer.getvalue())

    def add_svg(self, text: str) -> str:
        """Write an SVG; return its path for the page."""
        return self._write("svg", text.encode())

    def _write(self, suffix: str, content: bytes) -> str:
        self.n += 1
        name = f"{self.n:02}.{suffix}"
        (self.folder / name).write_bytes(content)
        return f"../{self.folder.relative_to(DOCS).as_posix()}/{name}"


def render(notebook: Any, gallery: Gallery) -> str:
    """Return the page of a notebook that was run."""
    heading, *cells = notebook.cells
    title, _, text = heading.source.partition("\n")
    parts = [title, INTRODUCTION.strip(), text.strip()]
    for cell in cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
        else:
            parts.append(f"```python\n{cell.source}\n```")
            parts += (part for output in cell.outputs for part in _render_output(output, gallery))
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _render_output(output: Any, gallery: Gallery) -> Iterator[str]:
    assert output.output_type != "error", output
    assert output.get("name") != "stderr", output
    if output.output_type == "stream":
        yield _fence(output.text)
        return
    data = output.data
    if "text/html" in data:
        html = _PICTURE.sub(lambda found: gallery.add_png(found[1]), data["text/html"])
        yield re.sub(r"\n\s*", " ", html)
    elif "image/svg+xml" in data:
        yield f"![Learning curves]({gallery.add_svg(data['image/svg+xml'])})"
    elif "image/png" in data:
        yield f"![What the cell above draws]({gallery.add_png(data['image/png'])})"
    else:
        yield _fence(data["text/plain"])


def _fence(text: str) -> str:
    text = text.strip("\n")
    return f"```text\n{text}\n```"


def write_page(notebook: Any) -> None:
    """Write the page and its pictures, in place of those of an earlier run."""
    shutil.rmtree(PICTURES, ignore_errors=True)
    PICTURES.mkdir(parents=True)
    PAGE.write_text(render(notebook, Gallery(PICTURES)), encoding="utf-8")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        write_page(execute(Path(folder)))
