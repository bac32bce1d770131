"""Acme and Globex, for all tests of keys."""

import pytest

from tenants.models import Organization
from tests.tenants import cast


@pytest.fixture
def acme(db) -> Organization:
    return cast.organization("Acme")


@pytest.fixture
def globex(db) -> Organization:
    return cast.organization("Globex")
