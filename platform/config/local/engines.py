"""Which engine stands behind the gateway: the small model, two simulators, or none."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from config.local import engine, ports
from config.local.places import REPOSITORY
from config.local.processes import Program

SIMULATED_MODEL = "sim"


class Kind(StrEnum):
    """What `make up ENGINE=` takes."""

    MODEL = "model"
    SIMULATOR = "simulator"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Replica:
    """One engine process on the loopback address."""

    program: Program
    port: int

    @property
    def url(self) -> str:
        return f"http://{ports.HOST}:{self.port}"

    def ready(self) -> bool:
        return ports.answers(self.port, "/health")


def replicas(kind: Kind, *, near: int, env: Mapping[str, str]) -> list[Replica]:
    """Return the engine processes of this kind, on free ports from `near` on."""
    if kind is Kind.NONE:
        return []
    if kind is Kind.MODEL:
        port = ports.free(near=near)
        return [_replica("model", ["config.local.engine", "--port", str(port)], port, env)]
    first = ports.free(near=near)
    second = ports.free(near=first + 1)
    return [
        _replica(
            f"simulator-{number}", ["inference.simulator", "--port", str(port), "--model", SIMULATED_MODEL], port, env
        )
        for number, port in enumerate((first, second), start=1)
    ]


def model_of(kind: Kind) -> str | None:
    """Return the id of the model that this kind serves."""
    return {Kind.MODEL: engine.MODEL, Kind.SIMULATOR: SIMULATED_MODEL}.get(kind)


def _replica(name: str, module: list[str], port: int, env: Mapping[str, str]) -> Replica:
    return Replica(Program(name=name, command=[sys.executable, "-m", *module], env=env, cwd=REPOSITORY), port)
