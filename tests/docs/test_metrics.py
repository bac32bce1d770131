"""docs/metrics.md names every metric as /metrics shows it, with its labels, and no other."""

import re

from foundation import metrics
from tests.docs import pages


def test_every_metric_is_documented():
    assert not _exposed() - set(pages.table_rows("metrics.md"))


def test_every_documented_metric_exists():
    assert not set(re.findall(r"turnpike_\w+", pages.page("metrics.md"))) - _exposed()


def test_labels_are_documented():
    documented = pages.table_rows("metrics.md")
    unsaid = {
        name: label
        for name, labels in _labels().items()
        for label in labels
        if f"`{label}`" not in " ".join(documented[name])
    }
    assert not unsaid


def _exposed() -> set[str]:
    return {_as_shown(family.name, family.type) for family in metrics.registry.collect()}


def _as_shown(name: str, kind: str) -> str:
    return f"{name}_total" if kind == "counter" else name


def _labels() -> dict[str, tuple[str, ...]]:
    collectors = metrics.registry._collector_to_names
    described = {
        family.name: (family.type, getattr(one, "_labelnames", ())) for one in collectors for family in one.collect()
    }
    return {_as_shown(name, kind): labels for name, (kind, labels) in described.items()}
