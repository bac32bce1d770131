"""Whom the cases ask: a simulator of the tests' own, or the vLLM whose addresses the environment names.

`make conformance-vllm` sets these: CONFORMANCE_URL_GENERATE and CONFORMANCE_URL_POOLING, where a vLLM serves the tiny
model of that kind under the key and the name of tests/conformance/wire.py; CONFORMANCE_RECORD, to keep its answers as
golden.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from tests.conformance.wire import CONTEXT, KEY, MODEL, Role, Target
from tests.inference.simulator import client

RECORDING = "CONFORMANCE_RECORD" in os.environ
_FLAGS = ("--model", MODEL, "--max-model-len", str(CONTEXT), "--api-key", KEY, "--speed", "inf")


def variable(role: Role) -> str:
    """Return the name of the variable that says where a vLLM of this role is."""
    return f"CONFORMANCE_URL_{role.name}"


def named() -> dict[Role, str]:
    """Return the addresses in the environment: none means the simulator."""
    return {role: os.environ[variable(role)] for role in Role if variable(role) in os.environ}


def roles() -> set[Role]:
    """Return the roles that the target has."""
    return set(named() or Role)


@contextmanager
def reached() -> Iterator[Target]:
    """Give the target, and the simulator for as long as it is asked."""
    if urls := named():
        yield Target("vllm", urls, KEY)
        return
    with client.simulator(*_FLAGS) as simulated:
        yield Target("simulator", dict.fromkeys(Role, simulated.url), KEY)
