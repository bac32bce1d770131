"""Customers of the running installation that the SDKs are used by."""

import pytest

from tests.installation import Installation, Tenant


@pytest.fixture(scope="module")
def customer(installation: Installation) -> Tenant:
    """A customer with credit and without limits, for all cases of a module that do not look at the books."""
    return installation.organization()


@pytest.fixture
def acme(installation: Installation) -> Tenant:
    """A customer of one test's own, whose books hold nothing else."""
    return installation.organization()
