"""Idempotency-Key: a POST that is repeated with the same key does its work once and gets the same answer.

The key is claimed, the work is done and the answer is kept in one transaction. So two at the same time wait for each
other; a request that failed left nothing behind, its key included, and can be repeated; and an answer that is kept is
the answer to work that was done. Keys count per caller, and answers are kept for a day.

Secrets are stored nowhere. An answer that held one is kept without it, and repeating such a request is a 409 that names
what was made: a client that lost the secret revokes or rotates the key, whose secret nobody will ever see.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from functools import wraps
from hashlib import sha256
from typing import Any, Concatenate
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from foundation import clock
from foundation.errors import InvalidRequest
from tenants import isolation
from tenants.models import IdempotentAnswer, Organization
from tenants.rest.errors import IdempotencyKeyReused, ReplayWithoutSecret
from tenants.rest.resources import Resource

HEADER = "Idempotency-Key"
LONGEST_KEY = 255
KEPT_FOR = timedelta(days=1)
SECRET = "secret"  # noqa: S105 - the name of a field of answers, not a secret

type Handler[R: Resource, **P] = Callable[Concatenate[R, Request, P], Response]


def once[R: Resource, **P](handler: Handler[R, P]) -> Handler[R, P]:
    """Make a resource's `post` honour the header. Without the header nothing is different."""

    @wraps(handler)
    def answered(resource: R, request: Request, /, *args: P.args, **kwargs: P.kwargs) -> Response:
        key = request.headers.get(HEADER)
        if key is None:
            return handler(resource, request, *args, **kwargs)
        claim, is_first = _claim(resource, request, key)
        if not is_first:
            return _replay(claim)
        response = handler(resource, request, *args, **kwargs)
        _keep(claim, response)
        return response

    return answered


def _claim(resource: Resource, request: Request, key: str) -> tuple[IdempotentAnswer, bool]:
    """Return the row of this key, and whether it is ours; wait for another request that is at work under it."""
    if not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise InvalidRequest(f"{HEADER}: Send 1 to {LONGEST_KEY} printable ASCII characters.", param=HEADER)
    organization: Organization | None = getattr(resource, "organization", None)
    with _scope(organization.pk if organization else None):
        rows = IdempotentAnswer.objects.filter(organization=organization)
        rows.filter(created_at__lt=clock.now() - KEPT_FOR).delete()
        fingerprint = _fingerprint(request)
        claim, is_first = rows.get_or_create(
            organization=organization, caller=resource.actor.id, key=key, defaults={"fingerprint": fingerprint}
        )
    if bytes(claim.fingerprint) != fingerprint:
        raise IdempotencyKeyReused(param=HEADER)
    return claim, is_first


def _keep(claim: IdempotentAnswer, response: Response) -> None:
    public = {name: value for name, value in response.data.items() if name != SECRET}
    with _scope(claim.organization_id):
        IdempotentAnswer.objects.filter(pk=claim.pk).update(
            status=response.status_code, answer=json.dumps(public), withheld=SECRET in response.data
        )


def _replay(kept: IdempotentAnswer) -> Response:
    answer: dict[str, Any] = json.loads(kept.answer)
    if kept.withheld:
        raise ReplayWithoutSecret(
            f"This request was done before and made {answer['id']}, whose secret is shown once only. "
            f"Revoke or rotate it if you lost the secret, and send a new {HEADER}.",
            param=HEADER,
        )
    return Response(answer, status=kept.status, headers={"idempotent-replayed": "true"})


def _fingerprint(request: Request) -> bytes:
    body = json.dumps(request.data, sort_keys=True).encode()
    return sha256(b"\n".join((str(request.method).encode(), request.path.encode(), body))).digest()


def _scope(organization_id: UUID | None) -> AbstractContextManager[None]:
    # A request about the platform is in no organisation's scope.
    return isolation.everything() if organization_id is None else nullcontext()
