"""Acme is ours, Globex must never see it."""

import pytest

from tests.api import world
from tests.api.world import Asking, Tenant


@pytest.fixture
def acme(db) -> Tenant:
    return world.tenant("Acme")


@pytest.fixture
def globex(db) -> Tenant:
    return world.tenant("Globex")


@pytest.fixture
def by_key(acme) -> Asking:
    """A program of Acme's with every scope."""
    return Asking(key=acme.management)
