"""docs/engines.md names every kind of engine, where it is asked for its health, and what it refuses."""

import re

import pytest

from inference.gateway.engines.kinds import ENGINES
from inference.gateway.engines.parameters import CHAT, COMPLETIONS, STRUCTURE
from inference.models import Pool
from tests.docs import pages


def rows(section: str) -> dict[str, list[str]]:
    """Return the cells of a section's table by the kind in their first."""
    text = pages.page("engines.md").partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:3] == "| `"]
    return {first.strip("`"): rest for first, *rest in lines}


def refused(kind: str, surface: str, known: frozenset[str]) -> set[str]:
    """Return what an engine's adapter refuses."""
    parameters = ENGINES[kind].parameters.get(surface)
    return set() if parameters is None else set(known - parameters.known - STRUCTURE)


@pytest.mark.parametrize("section", ["Kinds", "Fields", "Adding one"])
def test_every_kind_that_a_pool_can_be_is_explained(section):
    assert rows(section).keys() == ENGINES.keys() == set(Pool.Engine.values)


@pytest.mark.parametrize("kind", ENGINES)
def test_the_tables_say_what_the_adapters_do(kind):
    in_chat, in_completions, _ = rows("Fields")[kind]
    assert rows("Kinds")[kind][2] == f"`{ENGINES[kind].health}`"
    assert set(re.findall("`(.*?)`", in_chat)) == refused(kind, "chat.completions", CHAT)
    assert set(re.findall("`(.*?)`", in_completions)) == refused(kind, "completions", COMPLETIONS)
    assert (in_completions == "not served") is ("completions" not in ENGINES[kind].wires)
