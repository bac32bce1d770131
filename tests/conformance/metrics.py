"""Prometheus' text format, as far as comparing two engines takes: families with type and labels, and single values."""

import re
from typing import Any

from tests.conformance.wire import Target

_TYPE = re.compile(r"^# TYPE (vllm:\S+) (\S+)$", re.MULTILINE)
_SAMPLE = re.compile(r"^(vllm:[^{\s]+)\{(.*)\} (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="')


def text(target: Target) -> str:
    """Read the metrics, without a key, as vLLM lets everybody."""
    with target.client(next(iter(target.urls)), with_key=False) as client:
        return client.get("/metrics").text


def value(target: Target, name: str) -> float:
    """Return the sum of a metric's samples."""
    return sum(float(number) for found, _, number in _SAMPLE.findall(text(target)) if found == name)


def families(exposition: str) -> dict[str, Any]:
    """Return the type and labels of each of vLLM's own families; `_created` is the client library's."""
    labels: dict[str, set[str]] = {}
    for name, inside, _ in _SAMPLE.findall(exposition):
        labels.setdefault(re.sub(r"_(bucket|sum|count)$", "", name), set()).update(_LABEL.findall(inside))
    found = {name: kind for name, kind in _TYPE.findall(exposition) if not name.endswith("_created")}
    return {name: {"type": kind, "labels": sorted(labels.get(name, ()))} for name, kind in sorted(found.items())}
