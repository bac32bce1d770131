"""Installations in folders of a test's own."""

import pytest

from config.local import places


@pytest.fixture
def prepared():
    """Prepare the folders of an installation; those of the sockets, which may lie elsewhere, go with the test."""
    made = []

    def prepare(data):
        here = places.at(data)
        made.append(here)
        places.prepare(here)
        return here

    yield prepare
    for here in made:
        places.forget_sockets(here)


@pytest.fixture
def here(prepared, tmp_path):
    """An installation's folders, prepared."""
    return prepared(tmp_path / "data")
