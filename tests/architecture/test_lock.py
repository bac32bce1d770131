"""The hashed lock in deploy/: complete, anonymous, and one set of versions."""

import re
import tomllib
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.architecture import checkout

PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)", re.MULTILINE)
LOCKS = sorted(path.name for path in (checkout.ROOT / "deploy").glob("requirements*.txt"))


def _lock(name: str) -> str:
    return checkout.text(checkout.ROOT / "deploy" / name)


def _pins(name: str) -> dict[str, Version]:
    return {canonicalize_name(pin["name"]): Version(pin["version"]) for pin in PIN.finditer(_lock(name))}


def _project() -> dict[str, Any]:
    return tomllib.loads(checkout.text(checkout.ROOT / "pyproject.toml"))


def _wanted(*extras: str) -> list[Requirement]:
    project = _project()["project"]
    lists = [project["dependencies"], *(project["optional-dependencies"][extra] for extra in extras)]
    return [Requirement(line) for requirements in lists for line in requirements]


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_a_hash(name: str):
    blocks = re.split(r"\n(?=[A-Za-z0-9])", _lock(name))
    pinned = [block for block in blocks if PIN.match(block)]
    assert pinned
    assert not [block.split()[0] for block in pinned if "--hash=sha256:" not in block]


@pytest.mark.parametrize("name", LOCKS)
def test_the_lock_names_no_address_and_no_path(name: str):
    assert not re.search(r"://|index-url|find-links|file:|^-e |\s/\w", _lock(name))


def test_development_runs_on_the_versions_of_production():
    development = _pins("requirements-dev.txt")
    assert {name: development.get(name) for name in _pins("requirements.txt")} == _pins("requirements.txt")


@pytest.mark.parametrize(
    ("name", "extras"),
    [("requirements.txt", ["embedded", "build"]), ("requirements-dev.txt", ["embedded", "build", "dev", "docs"])],
)
def test_the_lock_satisfies_what_the_project_asks_for(name: str, extras: list[str]):
    pins = _pins(name)
    wanted = _wanted(*extras)
    unmet = [str(wish) for wish in wanted if pins.get(canonicalize_name(wish.name)) not in _Allowed(wish)]
    assert not unmet


def test_every_dependency_has_a_lower_bound():
    extras = _project()["project"]["optional-dependencies"]
    assert not [str(wish) for wish in _wanted(*extras) if not re.search(r">=", str(wish.specifier))]


class _Allowed:
    """The versions that one requirement takes; no version at all is none of them."""

    def __init__(self, wish: Requirement) -> None:
        self._specifier = wish.specifier

    def __contains__(self, version: object) -> bool:
        return isinstance(version, Version) and self._specifier.contains(version, prereleases=True)
