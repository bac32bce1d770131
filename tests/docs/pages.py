"""The documentation as its tests see it."""

import re
from pathlib import Path

from tests.architecture import checkout

DOCS = checkout.ROOT / "docs"
FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<body>.*?)^ *```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")


def pages() -> list[Path]:
    """Return every page that people read: docs/ and the README."""
    return [
        path
        for path in checkout.files()
        if path.suffix == ".md" and (path.is_relative_to(DOCS) or path.name == "README.md")
    ]


def page(name: str) -> str:
    """Return a page's text by its name below docs/."""
    return (DOCS / name).read_text(encoding="utf-8")


def everything() -> str:
    """Return the text of all pages."""
    return "\n".join(path.read_text(encoding="utf-8") for path in pages())


def snippets(language: str) -> list[tuple[Path, str]]:
    """Return every fenced snippet in a language, with the page it stands on."""
    return [
        (path, fence["body"])
        for path in pages()
        for fence in FENCE.finditer(path.read_text(encoding="utf-8"))
        if fence["language"] == language
    ]


def table_rows(name: str) -> dict[str, list[str]]:
    """Return the rows of a page's tables whose first cell is `code`: the code, and the other cells."""
    rows: dict[str, list[str]] = {}
    for line in page(name).splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and (first := CODE.fullmatch(cells[0])):
            rows[first[1]] = cells[1:]
    return rows
