"""docs/errors.md names every error code with its status, and no code that does not exist."""

import importlib
from functools import cache

from foundation.errors import PlatformError
from tests.architecture import checkout
from tests.docs import pages


def test_every_error_code_is_documented_with_its_status():
    documented = pages.table_rows("errors.md")
    unsaid = {
        error.code: error.status for error in _errors() if str(error.status) not in documented.get(error.code, [""])[0]
    }
    assert not unsaid


def test_every_documented_error_code_exists():
    assert not set(pages.table_rows("errors.md")) - {error.code for error in _errors()}


def test_one_code_has_one_status():
    statuses: dict[str, set[int]] = {}
    for error in _errors():
        statuses.setdefault(error.code, set()).add(error.status)
    assert not {code: found for code, found in statuses.items() if len(found) > 1}


@cache
def _errors() -> tuple[type[PlatformError], ...]:
    """Return every class of the tree, after importing every module that could add one."""
    for path in checkout.code_files():
        if path.parent.name not in {"migrations", "commands"} and path.name != "__main__.py":
            importlib.import_module(checkout.module(path))
    return (PlatformError, *_below(PlatformError))


def _below(error: type[PlatformError]) -> list[type[PlatformError]]:
    return [
        found
        for child in error.__subclasses__()
        if child.__module__.partition(".")[0] in checkout.PACKAGES
        for found in (child, *_below(child))
    ]
