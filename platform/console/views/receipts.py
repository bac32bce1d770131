"""The signed receipt of a request, for people: the same document as GET /v1/receipts/{request_id}."""

from __future__ import annotations

import json
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from billing import receipts
from console.access import Place, member_page
from foundation import clock, ids
from foundation.errors import NotFound
from foundation.signing import Signer
from tenants.roles import Right


@require_safe
@member_page(Right.USAGE_READ)
def receipt(request: HttpRequest, place: Place, request_id: str) -> HttpResponse:
    """Show a receipt. Raises NotFound for another organisation's and for an unknown one."""
    try:
        finding = _find(place.organization.pk, ids.parse("req", request_id))
    except ValueError as error:
        raise NotFound from error
    if finding.receipt is None and not finding.in_progress:
        raise NotFound
    jws = None if finding.receipt is None else _signer().sign(finding.receipt)
    document = json.dumps(receipts.envelope(request_id, finding, jws), indent=2, ensure_ascii=False)
    return HttpResponse(document, content_type="application/json; charset=utf-8")


def _find(organization_id: UUID, request_id: UUID) -> receipts.Finding:
    with connection.cursor() as cursor:
        cursor.execute(receipts.FIND, receipts.parameters(organization_id, request_id))
        (found,) = cursor.fetchone()
    return receipts.read(found, at=clock.now())


def _signer() -> Signer:
    return Signer(settings.RECEIPT_SIGNING_KEY, settings.RECEIPT_PUBLIC_KEYS, receipts.PURPOSE)
