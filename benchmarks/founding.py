"""Makes what the load needs in an empty database; runs inside `manage.py shell`, a process of its own.

Limits and budget are far above what a load can reach, so that every check runs and none refuses.
"""

import sys
from decimal import Decimal

from django.db import transaction

from billing import wallet
from config.local import catalogue
from config.local.engines import Kind
from foundation.money import nano
from keys import issuing
from keys.effective import Limits
from tenants import founding, isolation
from tenants.audit import Actor
from tenants.models import Project

CREDIT = Decimal(1_000_000)
LIMITS = Limits(
    rpm=100_000_000,
    tpm=2_000_000_000,
    concurrency=100_000,
    budget_nusd=nano(CREDIT),
    budget_window="month",
)
_ACTOR = Actor.system("benchmark")


@transaction.atomic
def found(engine_url: str) -> str:
    """Offer the simulator at this address to a rich organisation; return the secret of its key."""
    with isolation.everything():
        catalogue.offer(Kind.SIMULATOR, [engine_url])
        organization = founding.found_organization(name="Benchmark", slug="benchmark", actor=_ACTOR)
        wallet.open_wallet(organization.pk)
        wallet.credit(
            organization_id=organization.pk,
            amount_nusd=nano(CREDIT),
            reference="benchmark",
            memo="Credit for a load test",
            actor=_ACTOR,
        )
        project = Project.objects.for_organization(organization).get(slug="default")
        return issuing.issue(project=project, name="Load test", actor=_ACTOR, limits=LIMITS).secret


def main(engine_url: str) -> None:
    """Found, and print the secret for the process that asked for it."""
    sys.stdout.write(found(engine_url))
