"""What tests of faults share: a crowd of clients, and three servers beside each other."""

from collections.abc import Iterator

import pytest

from tests.faults import crowd as crowds
from tests.faults.crowd import Crowd
from tests.faults.servers import serving
from tests.installation import Installation, Server

# Limits are exact as long as Valkey answers in time; on a machine that is busy with tests that may take a while.
PATIENT = {"VALKEY_TIMEOUT_MS": "5000"}


@pytest.fixture(autouse=True)
def the_books_are_right_after_every_fault(request) -> Iterator[None]:
    """Prove the ledger of the installation that all tests share, whatever this one did to it."""
    yield
    if "installation" in request.fixturenames:
        assert request.getfixturevalue("installation").verify_ledger() == []


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    with crowds.gathered() as crowd:
        yield crowd


@pytest.fixture(scope="session")
def fleet(installation: Installation) -> Iterator[list[Server]]:
    """Three server processes on the same stores. No test stops them."""
    with serving(installation, 3, GATEWAY_PROCESSES="3", **PATIENT) as servers:
        yield servers
