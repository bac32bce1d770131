"""The target of a session, the gateway before it, and the cases that it can answer."""

from collections.abc import Iterator

import pytest

from tests.conformance import behind, table, targets
from tests.conformance.wire import Target
from tests.installation import Installation


@pytest.fixture(scope="session")
def target() -> Iterator[Target]:
    """The simulator, or the vLLM that `make conformance-vllm` has started."""
    with targets.reached() as target:
        yield target


@pytest.fixture(scope="package")
def gateway(installation: Installation, target: Target) -> Iterator[behind.Turnpike]:
    """A Turnpike before it."""
    with behind.gateway(installation, target) as found:
        yield found


def pytest_generate_tests(metafunc) -> None:
    if "case" in metafunc.fixturenames:
        cases = [case for case in table.CASES if case.role in targets.roles()]
        where = "through the gateway: " if "gateway" in metafunc.fixturenames else ""
        metafunc.parametrize("case", cases, ids=[f"{where}{case.id}" for case in cases])
