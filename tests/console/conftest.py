"""Acme and Globex, and who may do what at Acme, for all tests of the pages."""

import pytest
from django.core.cache import cache

from keys.models import ApiKey
from tenants.models import Organization, Role, User
from tests.console.cast import Visitor, visitor
from tests.keys.cast import inference_key
from tests.tenants import cast


@pytest.fixture(autouse=True)
def nobody_has_tried_too_often(valkey) -> None:
    """allauth counts tries in the cache, which outlives a test."""
    cache.clear()


@pytest.fixture
def acme(db) -> Organization:
    return cast.organization("Acme")


@pytest.fixture
def globex(db) -> Organization:
    return cast.organization("Globex")


@pytest.fixture
def owner(acme) -> User:
    return cast.member(acme, Role.OWNER, "Ada")


@pytest.fixture
def ada(owner) -> Visitor:
    """Acme's owner, signed in."""
    return visitor(owner)


@pytest.fixture
def viewer(acme) -> Visitor:
    """Somebody who may only look at Acme, signed in."""
    return visitor(cast.member(acme, Role.VIEWER))


@pytest.fixture
def key(acme) -> ApiKey:
    return inference_key(acme, name="Search").key
