"""The shapes of the real vLLM's answers, recorded by `make conformance-vllm ARGS=--record`, one file for each area."""

import difflib
import json
from functools import cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "golden"


def expect(area: str, name: str, shape: Any) -> None:
    """Fail, with the difference line by line, unless this is the recorded shape."""
    recorded = _read(area).get(name)
    assert recorded is not None, f"nothing is recorded for {area}: {name}"
    compare(recorded, shape)


def compare(expected: Any, shape: Any) -> None:
    """Fail, with the difference line by line, unless two shapes are one."""
    difference = list(difflib.unified_diff(_lines(expected), _lines(shape), "expected", "this answer", lineterm=""))
    assert not difference, "\n".join(difference)


def record(area: str, name: str, shape: Any) -> None:
    """Keep the shape as what the real vLLM says."""
    file = _file(area)
    recorded = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps(recorded | {name: shape}, indent=1, ensure_ascii=False) + "\n")
    _read.cache_clear()


def recorded(area: str, name: str) -> Any:
    """Return a recorded shape."""
    return _read(area)[name]


@cache
def _read(area: str) -> dict[str, Any]:
    file = _file(area)
    return json.loads(file.read_text()) if file.exists() else {}


def _file(area: str) -> Path:
    return _FOLDER / f"{area}.json"


def _lines(shape: Any) -> list[str]:
    return json.dumps(shape, indent=1, sort_keys=True).splitlines()
