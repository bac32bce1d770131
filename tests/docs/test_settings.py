"""docs/configuration.md names every setting that the code reads, with the default that the code has, and no other."""

import ast
import re
from collections.abc import Iterator
from functools import cache

from tests.architecture import checkout
from tests.docs import pages

# Read from the environment, but nobody sets them to configure Turnpike.
OF_THE_SYSTEM = {"PATH", "HOME", "USER", "LANG", "TERM", "DJANGO_SETTINGS_MODULE", "XDG_RUNTIME_DIR", "TMPDIR"}
READERS = {
    "text",
    "flag",
    "number",
    "choice",
    "list",
    "url",
    "postgres_url",
    "valkey_url",
    "decimal",
    "networks",
    "seconds",
    "path",
    "public_keys",
    "certificates",
}


def test_every_setting_is_documented():
    assert not set(_settings()) - set(pages.table_rows("configuration.md"))


def test_every_documented_setting_is_read_by_the_code():
    code = "\n".join(checkout.text(path) for path in checkout.files() if path.suffix != ".md")
    assert not [name for name in pages.table_rows("configuration.md") if name not in code]


def test_documented_defaults_are_the_defaults_of_the_code():
    documented = pages.table_rows("configuration.md")
    wrong = {
        name: (documented[name][0], default)
        for name, default in _settings().items()
        if default is not None and name in documented and f"`{default}`" not in documented[name][0]
    }
    assert not wrong


@cache
def _settings() -> dict[str, str | None]:
    """Return the names of all settings; the default where it is a plain value."""
    found: dict[str, str | None] = {}
    for path in checkout.code_files():
        for name, default in _reads(checkout.tree(path)):
            found[name] = found.get(name) or default
    return {name: default for name, default in found.items() if name not in OF_THE_SYSTEM}


def _reads(tree: ast.Module) -> Iterator[tuple[str, str | None]]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="env"), attr=reader), args=[ast.Constant(value=str(name)), *_]
            ):
                if reader in READERS:
                    yield name, _default(node)
            case ast.Call(
                func=ast.Attribute(value=ast.Attribute(attr="environ") | ast.Name(id="environ"), attr="get"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                yield name, None
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="os"), attr="getenv"), args=[ast.Constant(value=str(name)), *_]
            ):
                yield name, None
            case ast.Subscript(
                value=ast.Attribute(attr="environ") | ast.Name(id="environ"),
                slice=ast.Constant(value=str(name)),
                ctx=ast.Load(),
            ):
                yield name, None


def _default(call: ast.Call) -> str | None:
    for keyword in call.keywords:
        if (
            keyword.arg == "default"
            and isinstance(keyword.value, ast.Constant)
            and keyword.value.value not in ("", None)
        ):
            value = keyword.value.value
            return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
    return None


def test_every_system_check_is_documented():
    ids = {
        found for path in checkout.code_files() for found in re.findall(r'id="(turnpike\.\w+)"', checkout.text(path))
    }
    assert ids
    assert not [check for check in ids if f"| {check} |" not in pages.page("configuration.md")]
