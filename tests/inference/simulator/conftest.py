"""One simulator for the tests that can share it."""

from collections.abc import Iterator

import pytest

from tests.inference.simulator import client


@pytest.fixture(scope="session")
def sim() -> Iterator[client.Simulated]:
    """A running simulator; its witness holds the requests of other tests too."""
    with client.simulator() as simulated:
        yield simulated
