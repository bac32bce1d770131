"""The table of a run: what was asked, and whether vLLM and the simulator answered as recorded."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

Results = dict[str, str]
"""By the name of what was tested: empty, or the first line of what was wrong."""

_PARAMETER = re.compile(r"\w+\[(.+)\]")


@dataclass(frozen=True)
class Report:
    """The results of each target, in the order they were asked."""

    results: Mapping[str, Results]

    @property
    def failures(self) -> list[str]:
        return [
            f"{target}: {name}: {wrong}"
            for target, results in self.results.items()
            for name, wrong in results.items()
            if wrong
        ]

    def lines(self) -> list[str]:
        """Return a table in Markdown, a row for each thing tested."""
        names = list(dict.fromkeys(name for results in self.results.values() for name in results))
        head = ["what", *self.results]
        rows = [[name, *(_mark(results.get(name)) for results in self.results.values())] for name in names]
        return [_row(head), _row(["---"] * len(head)), *map(_row, rows)]

    def summary(self) -> list[str]:
        """Return one line for each target."""
        return [
            f"{target}: {sum(not wrong for wrong in results.values())} of {len(results)} agree"
            for target, results in self.results.items()
        ]


def read(file: Path) -> Results:
    """Read what pytest wrote with `--junitxml`."""
    results = {}
    for case in ET.parse(file).iter("testcase"):
        name = case.get("name", "")
        found = _PARAMETER.fullmatch(name)
        said = next((child.get("message") or child.tag for child in case if child.tag in {"failure", "error"}), "")
        called = found[1] if found else name.removeprefix("test_").replace("_", " ")
        if called in results:
            raise ValueError(f"two tests are called {called!r}, and one would hide the other")
        results[called] = said.split("\n")[0]
    return results


def _mark(wrong: str | None) -> str:
    if wrong is None:
        return "–"
    return "differs" if wrong else "✓"


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
