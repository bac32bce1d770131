"""The target of a session, and the cases that it can answer."""

from collections.abc import Iterator

import pytest

from tests.conformance import table, targets
from tests.conformance.wire import Target


@pytest.fixture(scope="session")
def target() -> Iterator[Target]:
    """The simulator, or the vLLM that `make conformance-vllm` has started."""
    with targets.reached() as target:
        yield target


def pytest_generate_tests(metafunc) -> None:
    if "case" in metafunc.fixturenames:
        cases = [case for case in table.CASES if case.role in targets.roles()]
        metafunc.parametrize("case", cases, ids=[case.id for case in cases])
