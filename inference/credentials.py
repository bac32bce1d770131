"""Keeping the engines' credentials: sealing, describing them without giving them away, sealing anew under a new key."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from foundation.sealing import CannotOpen, Keyring
from inference.gateway.credentials import PURPOSE, place_of
from inference.models import Pool
from tenants import audit
from tenants.audit import Actor

# Of a shorter one, its end would say too much.
SHORTEST_WITH_A_HINT = 16
HINT_LETTERS = 4


@dataclass(slots=True)
class Rotation:
    """What sealing anew came to: names of pools."""

    sealed_anew: list[str]
    current: list[str]
    closed: list[str]


def keyring() -> Keyring:
    """Return the keys of this installation."""
    return Keyring(settings.CREDENTIAL_KEYS, PURPOSE)


def seal(pool: Pool, secret: str) -> str:
    """Return a secret as this pool, which has its id, may store it. LookupError where the installation has no key."""
    if pool.pk is None:
        raise ValueError("a pool without an id is no place to seal for")
    return keyring().seal(secret, place_of(pool.pk))


def described(pool: Pool) -> str:
    """Say whether a pool has a credential, in words that give nothing of it away but its end."""
    if not pool.sealed_credential:
        return f"from the environment variable {pool.credential_env}" if pool.credential_env else "none"
    try:
        secret = keyring().open(pool.sealed_credential, place_of(pool.pk))
    except CannotOpen:
        return "set, but no key in CREDENTIAL_KEYS opens it: enter it again"
    return f"set, ending in …{secret[-HINT_LETTERS:]}" if len(secret) >= SHORTEST_WITH_A_HINT else "set"


def rotate(*, actor: Actor) -> Rotation:
    """Seal every credential anew that the first key did not seal. Those that no key opens stay as they are."""
    ring, done = keyring(), Rotation([], [], [])
    for pool in Pool.objects.exclude(sealed_credential="").order_by("name"):
        if ring.is_current(pool.sealed_credential) and _opens(ring, pool):
            done.current.append(pool.name)
        elif _opens(ring, pool):
            _seal_anew(ring, pool, actor)
            done.sealed_anew.append(pool.name)
        else:
            done.closed.append(pool.name)
    return done


def _opens(ring: Keyring, pool: Pool) -> bool:
    try:
        ring.open(pool.sealed_credential, place_of(pool.pk))
    except CannotOpen:
        return False
    return True


@transaction.atomic
def _seal_anew(ring: Keyring, pool: Pool, actor: Actor) -> None:
    sealed = ring.seal(ring.open(pool.sealed_credential, place_of(pool.pk)), place_of(pool.pk))
    # An operator who entered another one meanwhile has sealed it under the first key already.
    if Pool.objects.filter(pk=pool.pk, sealed_credential=pool.sealed_credential).update(sealed_credential=sealed):
        audit.record(actor, "pool.credential_sealed_anew", pool, name=pool.name)
