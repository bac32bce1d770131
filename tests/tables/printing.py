"""Tables in pages: between `<!-- table: name -->` and `<!-- end -->` stands what the data says, and nothing else."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from tests.docs import pages
from tests.tables import inputs, outages, paying, rates, streams, times

PLACE = re.compile(r"(?<=<!-- table: )([a-z ]+)( -->\n).*?(?=<!-- end -->)", re.DOTALL)


class Row(Protocol):
    """A line of a table."""

    def cells(self) -> list[str]: ...


TABLES: dict[str, tuple[Sequence[str], Sequence[Row]]] = {
    "who pays": (paying.HEAD, paying.ROWS),
    "outages": (outages.HEAD, outages.ROWS),
    "states of valkey": (outages.STATE_HEAD, outages.VALKEY_STATES),
    "states of postgres": (outages.STATE_HEAD, outages.POSTGRES_STATES),
    "times": (times.HEAD, times.ROWS),
    "inputs": (inputs.HEAD, inputs.ROWS),
    "limits": (rates.HEAD, rates.ROWS),
    "streams": (streams.HEAD, streams.ROWS),
}


def printed(page: Path) -> str:
    """Return a page with every table as the data has it."""
    return PLACE.sub(lambda place: f"{place[1]}{place[2]}{_table(place[1])}", page.read_text(encoding="utf-8"))


def outdated() -> list[Path]:
    """Return the pages that say something else than the data."""
    return [page for page in pages.pages() if printed(page) != page.read_text(encoding="utf-8")]


def places() -> list[str]:
    """Return the names of all tables that stand in pages."""
    return re.findall(r"<!-- table: ([a-z ]+) -->", pages.everything())


def _table(name: str) -> str:
    head, rows = TABLES[name]
    lines = [head, ["---"] * len(head), *(row.cells() for row in rows)]
    # Markdown wants a table to stand alone.
    return "\n" + "".join(f"| {' | '.join(cells)} |\n" for cells in lines) + "\n"
