"""The documentation that an installation serves is that of docs/, with links that lead somewhere."""

import re
from urllib.parse import urljoin
from weakref import ref

import pytest

from console import documentation
from console.documentation import entries
from tests.console.cast import visitor
from tests.docs.pages import DOCS

pytestmark = pytest.mark.django_db
HREF = re.compile(r'<a[^>]* href="([^"]*)"')
ID = re.compile(r' id="([^"]+)"')


def test_every_page_that_is_in_the_contents_is_served_to_everybody():
    files = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    assert {entry.file for entry in entries()} == files
    nobody = visitor()
    for entry in entries():
        answer = nobody.get(f"/docs/{entry.address}")
        assert answer.status_code == 200, entry.file
        assert "<h1" in answer.content.decode()


def test_links_between_pages_lead_to_pages_and_headings_that_there_are():
    pages = {f"/docs/{entry.address}": documentation.page(entry.address) for entry in entries()}
    lost = []
    for address, page in pages.items():
        assert page is not None
        for href in HREF.findall(page.html):
            target, _, fragment = urljoin(address, href).partition("#")
            if target.startswith("/docs/"):
                there = pages.get(target)
                if there is None or (fragment and fragment not in ID.findall(there.html)):
                    lost.append((address, href))
    assert lost == []


def test_a_page_says_where_it_stands_and_needs_no_style_in_place():
    page = visitor().get("/docs/limits/").content.decode()
    assert 'href="/docs/limits/" aria-current="page"' in page
    assert "Use it" in page
    assert " style=" not in page


@pytest.mark.parametrize("address", ["nothing/", "limits.md/", "../README/", "decisions/nothing/"])
def test_what_is_no_page_is_not_found(address):
    assert visitor().get(f"/docs/{address}").status_code == 404


def test_addresses_that_anybody_makes_up_are_not_kept():
    class Address(str):
        __slots__ = ("__weakref__",)

    made_up = Address("nothing/")
    kept = ref(made_up)
    assert documentation.page(made_up) is None
    del made_up
    assert kept() is None


def test_an_installation_without_the_files_offers_no_documentation(monkeypatch, tmp_path):
    assert 'href="/docs/"' in visitor().get("/").content.decode()
    monkeypatch.setattr(documentation, "DOCS", tmp_path / "docs")
    assert 'href="/docs/"' not in visitor().get("/").content.decode()
