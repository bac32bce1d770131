"""Issuing, rotating and revoking keys. A secret leaves here once, in `Issued`, and is stored nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from foundation import clock
from keys import digests, formats, limiting
from keys.effective import Limits
from keys.errors import InvalidLimit, KeyAlreadyReplaced, KeyAlreadyRevoked, KeyExpired
from keys.metadata import checked
from keys.models import ApiKey, Plan
from tenants import audit, authority, configuration, naming
from tenants.audit import Actor
from tenants.errors import ProjectArchived, WiderThanOwn
from tenants.models import Organization, Project
from tenants.roles import PLATFORM, Right

LONGEST_OVERLAP_SECONDS = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Issued:
    """A new key, and its secret for the one time that it is shown."""

    key: ApiKey
    secret: str = field(repr=False)


@transaction.atomic
def issue(
    *,
    project: Project,
    name: str,
    actor: Actor,
    mode: ApiKey.Mode = ApiKey.Mode.LIVE,
    expires_at: datetime | None = None,
    metadata: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    plan: Plan | None = None,
) -> Issued:
    """Make an inference key of a project, with limits of its own or a plan if given.

    Raises InvalidName, InvalidLimit, ProjectArchived, and WiderThanOwn for limits above those of the project or the
    organisation. Gateways need no news of it: none has met the key yet.
    """
    if project.archived_at is not None:
        raise ProjectArchived
    key = _draft(project.organization, name, actor, mode, expires_at, metadata)
    key.kind, key.project = ApiKey.Kind.INFERENCE, project
    issued = _mint(key)
    if limits is not None or plan is not None:
        limiting.set_limits(target=key, limits=limits or Limits(), plan=plan, actor=actor)
    audit.record(actor, "key.issued", key, display=key.display, project=project.public_id)
    return issued


@transaction.atomic
def issue_management(
    *,
    organization: Organization,
    name: str,
    scopes: Iterable[str],
    actor: Actor,
    mode: ApiKey.Mode = ApiKey.Mode.LIVE,
    expires_at: datetime | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Issued:
    """Make a management key of an organisation; `scopes` are values of tenants.roles.Right, or PLATFORM from there.

    Raises InvalidName, InvalidLimit, and WiderThanOwn for scopes that the actor does not hold.
    """
    asked = _known(scopes)
    _check_may_grant(actor, organization, asked)
    key = _draft(organization, name, actor, mode, expires_at, metadata)
    key.kind, key.scopes = ApiKey.Kind.MANAGEMENT, sorted(asked)
    issued = _mint(key)
    audit.record(actor, "key.issued", key, display=key.display, scopes=key.scopes)
    return issued


@transaction.atomic
def rotate(*, key: ApiKey, overlap_seconds: int, actor: Actor) -> Issued:
    """Make a successor with the same powers, limits and budgets; the old key works for `overlap_seconds` more.

    A key with an end gets a successor that lives as long as it did itself. Raises WiderThanOwn (the new secret is as
    good as the scopes in it), KeyAlreadyRevoked, KeyAlreadyReplaced, KeyExpired and InvalidLimit.
    """
    if not 0 <= overlap_seconds <= LONGEST_OVERLAP_SECONDS:
        raise InvalidLimit("The overlap is between 0 seconds and 30 days.", param="overlap_seconds")
    current, now = _lock(key), clock.now()
    _check_can_be_rotated(current, now)
    _check_may_grant(actor, current.organization, current.scopes)
    issued = _mint(_successor(current, now, actor))
    end = now + timedelta(seconds=overlap_seconds)
    key.expires_at = min(end, current.expires_at or end)
    key.replaced_by = issued.key
    key.save(update_fields=["expires_at", "replaced_by"])
    configuration.bump(key.organization_id)
    audit.record(actor, "key.rotated", key, replaced_by=issued.key.public_id, expires_at=key.expires_at)
    return issued


@transaction.atomic
def revoke(*, key: ApiKey, reason: str, actor: Actor) -> None:
    """Make a key useless from the next request on. Raises KeyAlreadyRevoked."""
    revoked_at, text = clock.now(), reason.strip()[:200]
    if not ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=revoked_at, revoked_reason=text):
        raise KeyAlreadyRevoked
    key.revoked_at, key.revoked_reason = revoked_at, text
    configuration.bump(key.organization_id)
    audit.record(actor, "key.revoked", key, display=key.display, reason=text)


def _draft(
    organization: Organization,
    name: str,
    actor: Actor,
    mode: ApiKey.Mode,
    expires_at: datetime | None,
    metadata: Mapping[str, str] | None,
) -> ApiKey:
    if expires_at is not None and expires_at <= clock.now():
        raise InvalidLimit("The key would have expired already.", param="expires_at")
    key = ApiKey(organization=organization, name=naming.name(name), mode=mode, expires_at=expires_at)
    key.lineage, key.created_by_id, key.metadata = key.pk, actor.user_id, checked(metadata or {})
    return key


def _successor(key: ApiKey, now: datetime, actor: Actor) -> ApiKey:
    return ApiKey(
        organization=key.organization,
        project=key.project,
        created_by_id=actor.user_id,
        name=key.name,
        kind=key.kind,
        mode=key.mode,
        scopes=key.scopes,
        expires_at=now + (key.expires_at - key.created_at) if key.expires_at else None,
        lineage=key.lineage,
        metadata=key.metadata,
    )


def _mint(key: ApiKey) -> Issued:
    secret = formats.mint(key.kind, key.mode)
    key.digest = digests.digest(secret, settings.KEY_PEPPER.encode())
    key.display = formats.display(secret)
    key.save(force_insert=True)
    return Issued(key, secret)


def _known(scopes: Iterable[str]) -> set[str]:
    asked = set(scopes)
    if not asked:
        raise InvalidLimit("A management key needs at least one scope.", param="scopes")
    if unknown := asked - {*Right, PLATFORM}:
        raise InvalidLimit(f"There is no scope {min(unknown)}.", param="scopes")
    return asked


def _check_may_grant(actor: Actor, organization: Organization, scopes: Iterable[str]) -> None:
    if PLATFORM in scopes and not actor.is_operator:
        raise WiderThanOwn(f"Only operators grant the scope {PLATFORM}.")
    authority.check_not_wider(actor, organization, (Right(scope) for scope in scopes if scope != PLATFORM))


def _lock(key: ApiKey) -> ApiKey:
    """Return the key as it is now, kept from being rotated or revoked by somebody else meanwhile."""
    locked = ApiKey.objects.select_for_update(no_key=True, of=("self",)).select_related("organization", "project")
    return locked.get(pk=key.pk, organization_id=key.organization_id)


def _check_can_be_rotated(key: ApiKey, now: datetime) -> None:
    if key.revoked_at is not None:
        raise KeyAlreadyRevoked
    if key.replaced_by_id is not None:
        raise KeyAlreadyReplaced
    if key.expires_at is not None and key.expires_at <= now:
        raise KeyExpired
