"""Long lists, a page at a time."""

from __future__ import annotations

import pytest

from tests.api import world
from tests.inference import records
from tests.keys import cast as keys


def walk(who: world.Asking, path: str, limit: int) -> list[list[str]]:
    """Return the ids on each page."""
    found, cursor = [], ""
    while True:
        page = who.get(f"{path}{'&' if '?' in path else '?'}limit={limit}{cursor and f'&cursor={cursor}'}")
        found.append([row.get("id") or row["model"] for row in page["data"]])
        if page["next_cursor"] is None:
            return found
        cursor = page["next_cursor"]


@pytest.mark.parametrize(("limit", "sizes"), [(1, [1] * 7), (3, [3, 3, 1]), (7, [7]), (100, [7])])
def test_pages_are_full_but_for_the_last(acme, by_key, limit, sizes):
    made = [keys.inference_key(acme.organization, name=f"key {number}").key.public_id for number in range(6)]
    pages = walk(by_key, "keys?kind=inference", limit)
    assert [len(page) for page in pages] == sizes
    assert [row for page in pages for row in page] == [*reversed(made), acme.key.public_id]


def test_what_comes_meanwhile_moves_nothing(acme, by_key):
    for number in range(3):
        keys.inference_key(acme.organization, name=f"key {number}")
    first = by_key.get("keys?kind=inference&limit=2")
    keys.inference_key(acme.organization, name="newest")
    second = by_key.get(f"keys?kind=inference&limit=2&cursor={first['next_cursor']}")
    assert [row["name"] for row in first["data"] + second["data"]] == ["key 2", "key 1", "key 0", "Acme web"]


def test_models_and_prices_come_by_name(by_key):
    for name in ("zeta", "alpha", "meta/llama"):
        world.offer(name)
    for path in ("models", "prices"):
        assert walk(by_key, path, 2) == [["alpha", "meta/llama"], ["zeta"]]


def test_usage_comes_newest_first(acme, by_key):
    for _ in range(4):
        records.settle(acme.organization)
    rows = [row for page in walk(by_key, "usage", 2) for row in page]
    assert rows == sorted(rows, reverse=True)
    assert len(rows) == 5


def test_an_empty_list_is_a_page_too(by_key):
    assert by_key.get("models") == {"data": [], "next_cursor": None}
