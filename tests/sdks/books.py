"""What the platform and its engines wrote down of a request that an SDK sent, beside what the SDK says of it."""

from dataclasses import dataclass

from tests.inference.simulator.client import eventually
from tests.installation import Installation, Tenant

_RECORDS = "SELECT outcome, prompt_tokens, completion_tokens, cost_nusd FROM billing_usagerecord WHERE organization_id = %s"


@dataclass(frozen=True)
class Record:
    """One usage record. `cost` is in nano-dollars."""

    outcome: str
    prompt: int
    completion: int
    cost: int


def records(installation: Installation, tenant: Tenant) -> list[Record]:
    """Return what an organisation used, oldest first."""
    return [Record(*row) for row in installation.sql(f"{_RECORDS} ORDER BY at", tenant.id)]


def only_record(installation: Installation, tenant: Tenant) -> Record:
    """Return the one usage record of an organisation, as soon as it is there: who leaves does not wait for it."""
    (record,) = eventually(lambda: records(installation, tenant))
    return record

