"""Whoever silences a tool, catches everything or skips a test says why, in the same place."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture import checkout

# In the way of `noqa` with a code, a dash and why; a bare one has no reason behind its code.
SILENCERS = re.compile(
    r"#\s*(noqa|type:\s*ignore|pragma|nosec|fmt:\s*off|fmt:\s*skip|pyright)\b(?P<rest>.*)", re.IGNORECASE
)
CODES = re.compile(r"^\s*(:?\s*[A-Z]{1,5}\d{2,4}(\s*,\s*[A-Z]{1,5}\d{2,4})*|\[[a-z, -]+\]|:\s*no cover)?")
SHORTEST_REASON = 6


def _comments(path: Path) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(checkout.text(path)).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def _reason(comment: str) -> str | None:
    """Return what stands behind the codes of a silencing comment, None for any other comment."""
    found = SILENCERS.search(comment)
    return CODES.sub("", found["rest"], count=1).strip(" -–—#:") if found else None


def test_every_suppression_carries_its_reason():
    bare = [
        f"{checkout.name(path)}:{line}: {comment}"
        for path in checkout.python_files()
        for line, comment in _comments(path)
        if (reason := _reason(comment)) is not None and len(reason) < SHORTEST_REASON
    ]
    assert not bare


def test_every_broad_except_names_its_boundary():
    nameless = [
        f"{checkout.name(path)}:{handler.lineno}"
        for path in checkout.code_files()
        for handler in ast.walk(checkout.tree(path))
        if isinstance(handler, ast.ExceptHandler) and _is_broad(handler) and not _commented(path, handler)
    ]
    assert not nameless


def test_no_test_is_skipped_or_expected_to_fail():
    out = re.compile(r"pytest\.(mark\.)?(skip|skipif|xfail|importorskip)\b")
    tests = checkout.python_files(below=checkout.ROOT / "tests")
    assert not [checkout.name(path) for path in tests if out.search(checkout.text(path)) and path != Path(__file__)]


def test_nothing_is_left_for_later():
    # Put together here, so that this file does not find itself.
    later = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "raise NotImplemented" + "Error")))
    assert not [checkout.name(path) for path in checkout.python_files() if later.search(checkout.text(path))]


@pytest.mark.parametrize(
    ("comment", "reason"),
    [
        ("# noqa: A001 - read as env.list(...)", "read as env.list(...)"),
        ("# type: ignore[call-overload]  # constants only", "constants only"),
        ("# noqa", ""),
        ("# noqa: S105", ""),
        ("# type: ignore[misc, arg-type]", ""),
        ("# An ordinary comment.", None),
    ],
)
def test_a_reason_is_what_stands_behind_the_codes(comment: str, reason: str | None):
    assert _reason(comment) == reason


def _is_broad(handler: ast.ExceptHandler) -> bool:
    if isinstance(handler.body[-1], ast.Raise):
        return False  # cleans up and lets the error go on
    if handler.type is None:
        return True
    return any(
        isinstance(name, ast.Name) and name.id in {"Exception", "BaseException"} for name in ast.walk(handler.type)
    )


def _commented(path: Path, handler: ast.ExceptHandler) -> bool:
    """Say whether a comment stands above the handler, in it, or at its end."""
    last = handler.end_lineno or handler.lineno
    return any(handler.lineno - 1 <= line <= last + 1 for line, _ in _comments(path))
