"""What the platform and its engines wrote down of a request that an SDK sent, beside what the SDK says of it."""

from collections.abc import Iterable
from dataclasses import dataclass

from tests.inference.simulator.client import eventually
from tests.installation import Installation, Tenant

_RECORDS = (
    "SELECT outcome, prompt_tokens, completion_tokens, cost_nusd FROM billing_usagerecord WHERE organization_id = %s"
)


@dataclass(frozen=True)
class Record:
    """One usage record. `cost` is in nano-dollars."""

    outcome: str
    prompt: int
    completion: int
    cost: int


def records(installation: Installation, tenant: Tenant) -> list[Record]:
    """Return what an organisation used, oldest first."""
    return [Record(*row) for row in installation.sql(_RECORDS, tenant.id)]


def only_record(installation: Installation, tenant: Tenant) -> Record:
    """Return the one usage record of an organisation, as soon as it is there: who leaves does not wait for it."""
    (record,) = eventually(lambda: records(installation, tenant))
    return record


def asked_of_engines(installation: Installation, request_ids: Iterable[str]) -> list[bool]:
    """Say of each request whether an engine ever saw it."""
    seen = {entry["request_id"] for entry in installation.witness()}
    return [request_id in seen for request_id in request_ids]
