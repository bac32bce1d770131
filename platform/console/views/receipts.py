"""The receipt of a request: as a page, and as the signed document that GET /v1/receipts/{request_id} answers."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from billing import receipts
from console import figures
from console.access import Place, member_page, page
from foundation import clock, ids, money
from foundation.errors import NotFound
from foundation.signing import Signer
from keys.models import ApiKey
from tenants.models import Project
from tenants.roles import Right


@require_safe
@member_page(Right.USAGE_READ)
def receipt(request: HttpRequest, place: Place, request_id: str) -> HttpResponse:
    """Show what a request used, what it cost and why. Raises NotFound for another organisation's and an unknown one."""
    found = _find(place.organization.pk, request_id)
    facts = found.receipt
    return page(
        request,
        place,
        "console/receipt.html",
        section="usage",
        request_id=request_id,
        receipt=facts,
        lines=[] if facts is None else _lines(facts["lines"]),
        freed_nusd=0 if facts is None else facts["hold_nano_usd"] - facts["charge_nano_usd"],
        project=None if facts is None else _project(place, facts["project"]),
        key=None if facts is None else _key(place, facts["key"]),
        jws=None if facts is None else _signer().sign(facts),
    )


@require_safe
@member_page(Right.USAGE_READ)
def document(request: HttpRequest, place: Place, request_id: str) -> HttpResponse:
    """Hand out the receipt as it is signed. Raises NotFound as above."""
    found = _find(place.organization.pk, request_id)
    jws = None if found.receipt is None else _signer().sign(found.receipt)
    text = json.dumps(receipts.envelope(request_id, found, jws), indent=2, ensure_ascii=False)
    return HttpResponse(text, content_type="application/json; charset=utf-8")


def _find(organization_id: UUID, request_id: str) -> receipts.Finding:
    try:
        asked = ids.parse("req", request_id)
    except ValueError as error:
        raise NotFound from error
    with connection.cursor() as cursor:
        cursor.execute(receipts.FIND, receipts.parameters(organization_id, asked))
        (found,) = cursor.fetchone()
    finding = receipts.read(found, at=clock.now())
    if finding.receipt is None and not finding.in_progress:
        raise NotFound
    return finding


def _lines(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add to each line what it comes to by itself; only their sum is rounded for the charge."""
    return [
        {**line, "nusd": money.charge({line["kind"]: line["units"]}, {line["kind"]: line["nano_usd_per_million"]})}
        for line in lines
    ]


def _project(place: Place, public_id: str | None) -> Project | None:
    if public_id is None:
        return None
    projects = Project.objects.for_organization(place.organization)
    return projects.filter(pk=ids.parse(Project.PREFIX, public_id)).first()


def _key(place: Place, public_id: str) -> ApiKey | None:
    """Return the key to those who may see keys."""
    key_id = ids.parse(ApiKey.PREFIX, public_id)
    return figures.key_names(place.organization, [key_id]).get(key_id) if Right.KEYS_READ in place.rights else None


def _signer() -> Signer:
    return Signer(settings.RECEIPT_SIGNING_KEY, settings.RECEIPT_PUBLIC_KEYS, receipts.PURPOSE)
