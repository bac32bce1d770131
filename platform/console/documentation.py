"""The documentation, as it lies in docs/: the pages that `mkdocs.yml` lists, turned into HTML once per process.

The same files make the site of `make docs`. Here they are served by the installation itself, in the version that runs,
without a build.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import yaml
from markdown import Markdown
from markdown.extensions import Extension
from markdown.extensions.tables import TableExtension
from markdown.treeprocessors import Treeprocessor

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
CONTENTS = ROOT / "mkdocs.yml"
BASE = "/docs/"
_TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|/|#|$")


@dataclass(frozen=True, slots=True)
class Entry:
    """One page in the contents; `address` is what stands behind the base."""

    title: str
    file: str
    address: str
    section: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page for people."""

    entry: Entry
    html: str
    contents: Sequence[dict[str, Any]]


def exists() -> bool:
    """Say whether this installation came with its documentation."""
    return CONTENTS.is_file() and DOCS.is_dir()


@cache
def entries() -> Sequence[Entry]:
    """Return every page in the order of the contents."""
    if not exists():
        return ()
    return tuple(_entries(yaml.safe_load(CONTENTS.read_text(encoding="utf-8"))["nav"], ""))


def page(address: str) -> Page | None:
    """Return the page of this address, or nothing."""
    entry = next((entry for entry in entries() if entry.address == address), None)
    return None if entry is None else _written(entry)


# By the page and not by the address: anybody may ask for addresses without end.
@cache
def _written(entry: Entry) -> Page:
    # An alignment as an attribute: the pages' policy forbids styles in place.
    extensions = ["attr_list", "def_list", "fenced_code", "toc", TableExtension(use_align_attribute=True)]
    writer = Markdown(extensions=[*extensions, _Linking(entry.file)], output_format="html")
    html = writer.convert((DOCS / entry.file).read_text(encoding="utf-8"))
    (top, *_) = writer.toc_tokens or [{"children": []}]
    return Page(entry, html, top["children"])


def address_of(file: str) -> str:
    """Return the address of a file: `money.md` is `money/`, and an index is its folder."""
    name = file.removesuffix(".md")
    name = "" if name == "index" else name.removesuffix("/index")
    return f"{name}/" if name else ""


def _entries(nav: list[Any], section: str) -> Iterator[Entry]:
    for item in nav:
        if isinstance(item, str):
            yield Entry(_title_of(item), item, address_of(item), section)
            continue
        ((title, inside),) = item.items()
        if isinstance(inside, str):
            yield Entry(title, inside, address_of(inside), section)
        else:
            yield from _entries(inside, title)


def _title_of(file: str) -> str:
    found = _TITLE.search((DOCS / file).read_text(encoding="utf-8"))
    return found[1] if found else file


class _Linking(Extension):  # type: ignore[misc]  # the library is untyped
    """Makes links between files links between addresses."""

    def __init__(self, file: str) -> None:
        super().__init__()
        self._file = file

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - the library's name
        md.treeprocessors.register(_Links(md, self._file), "links", 0)


class _Links(Treeprocessor):  # type: ignore[misc]  # as above
    def __init__(self, md: Markdown, file: str) -> None:
        super().__init__(md)
        self._folder = posixpath.dirname(file)

    def run(self, root: Element) -> None:
        for link in root.iter("a"):
            href = link.get("href", "")
            if not _ELSEWHERE.match(href):
                path, hash_sign, fragment = href.partition("#")
                target = posixpath.normpath(posixpath.join(self._folder, path))
                link.set("href", BASE + address_of(target) + hash_sign + fragment)
