"""Secrets that we must be able to read again, sealed for a database: AES-256-GCM under keys from the environment.

The first key seals, all of them open, so a key is replaced without a gap: put the new one in front, seal everything
anew, take the old one away. A sealed text is bound to its place (`"pool:0198…"`), which goes into the authentication
(associated data, NIST SP 800-38D): moved to another row it does not open. As text it is
`v1.<id of the key>.<base64url of nonce and ciphertext>`.
"""

from __future__ import annotations

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION: Final = "v1"
_NONCE_BYTES: Final = 12


class CannotOpen(Exception):
    """None of the keys opens it: another key sealed it, for another place, or somebody changed it."""


class Keyring:
    """The keys of one purpose, made from secrets of at least 32 random characters; the first is the one in use."""

    def __init__(self, secrets: Sequence[str], purpose: str) -> None:
        """Derive the keys (HKDF, RFC 5869). `purpose` keeps the same secret apart in different uses."""
        self._keys = {_derive(secret, f"{purpose} id", 6).hex(): _derive(secret, purpose, 32) for secret in secrets}

    def __bool__(self) -> bool:
        """Whether there is any key to seal with."""
        return bool(self._keys)

    def __repr__(self) -> str:
        return f"Keyring({', '.join(self._keys)})"

    def seal(self, secret: str, place: str) -> str:
        """Return `secret` sealed for `place`, different each time. LookupError without a key."""
        key_id = self._in_use()
        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(self._keys[key_id]).encrypt(nonce, secret.encode(), _bound(key_id, place))
        return f"{VERSION}.{key_id}.{urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, place: str) -> str:
        """Return what was sealed for `place`. Raises `CannotOpen`, which says nothing of the content."""
        version, _, rest = sealed.partition(".")
        key_id, _, body = rest.partition(".")
        key = self._keys.get(key_id)
        if version != VERSION or key is None:
            raise CannotOpen("sealed by a key that is not here")
        try:
            raw = urlsafe_b64decode(body)
            return AESGCM(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _bound(key_id, place)).decode()
        except (InvalidTag, ValueError):
            raise CannotOpen("changed, or sealed for another place") from None

    def is_current(self, sealed: str) -> bool:
        """Whether the key in use sealed it."""
        return bool(self._keys) and sealed.startswith(f"{VERSION}.{self._in_use()}.")

    def _in_use(self) -> str:
        if not self._keys:
            raise LookupError("there is no key to seal with")
        return next(iter(self._keys))


def _bound(key_id: str, place: str) -> bytes:
    return f"{VERSION}.{key_id}.{place}".encode()


def _derive(secret: str, purpose: str, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=f"turnpike {purpose}".encode()).derive(
        secret.encode()
    )
