"""Operators, and something to look at, for all tests of the admin."""

import pytest

from tenants.models import Organization, User
from tests.browser import scene
from tests.browser.scene import Scene
from tests.console.cast import Visitor, visitor
from tests.tenants import cast


@pytest.fixture
def operator(db) -> User:
    return User.objects.create_superuser("olu@example.com", name="Olu")


@pytest.fixture
def olu(operator) -> Visitor:
    """An operator who may do everything, signed in."""
    return visitor(operator)


@pytest.fixture
def clerk(db) -> Visitor:
    """Staff without any permission, signed in."""
    return visitor(cast.person("Clerk", is_staff=True))


@pytest.fixture
def acme(db) -> Organization:
    return cast.organization("Acme")


@pytest.fixture
def furnished(db) -> Scene:
    """A small installation in which every table has rows."""
    return scene.furnish(requests=12)
