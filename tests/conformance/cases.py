"""What a case is: a request, whose answer has vLLM's recorded shape, and what else must hold for the answer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.conformance.crossing import UNCHANGED, Crossing
from tests.conformance.wire import MODEL, Check, Request, Role


@dataclass(frozen=True, kw_only=True)
class Case:
    """One row of the table. `holds` compares what the shape leaves out: counts, order, texts that must be right."""

    area: str
    name: str
    request: Request
    holds: tuple[Check, ...] = ()
    role: Role = Role.GENERATE
    simulator_differs: str = ""
    """Why the simulator's shape is another one, where that is meant; that it is, is tested as well."""
    gateway: Crossing = UNCHANGED
    """What the gateway makes of the same request."""

    @property
    def id(self) -> str:
        return f"{self.area}: {self.name}"


def posting(path: str, usual: dict[str, Any]) -> Callable[..., Request]:
    """Return what makes requests to this path: the usual body, changed; a member that is Ellipsis is left out."""

    def request(**changes: Any) -> Request:
        body = {"model": MODEL, **usual, **changes}
        return Request(path=path, body={key: value for key, value in body.items() if value is not ...})

    return request
