"""Documents that anybody can check without asking us: Ed25519 signatures in compact JWS, public keys as a JWKS.

RFC 7515 (JWS), RFC 8037 (Ed25519 in it: `alg` is `EdDSA`, `kty` is `OKP`), RFC 7638 (a key's id is its thumbprint).
What is signed travels inside the signature's text, so nobody has to reproduce our JSON byte by byte to check it.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

ALGORITHM = "EdDSA"
_KEY_BYTES = 32


class Signer:
    """The key that signs now, and the public halves of those that signed before."""

    def __init__(self, secret: str, earlier: Sequence[str], purpose: str) -> None:
        """Derive the key from a secret of at least 32 random characters (HKDF, RFC 5869).

        `earlier` are public keys as in the `x` of a JWK. ValueError for one that is none.
        """
        seed = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=f"turnpike {purpose}".encode())
        self._key = Ed25519PrivateKey.from_private_bytes(seed.derive(secret.encode()))
        own = _encode(self._key.public_key().public_bytes_raw())
        self._public = [_as_jwk(x) for x in dict.fromkeys((own, *earlier))]
        self._head = _encode(_json({"alg": ALGORITHM, "kid": self._public[0]["kid"], "typ": "JWS"}))

    def __repr__(self) -> str:
        return f"Signer({self._public[0]['kid']})"

    @property
    def keys(self) -> dict[str, Any]:
        """The public keys, as a JWKS (RFC 7517): the one in use first."""
        return {"keys": self._public}

    def sign(self, document: Mapping[str, Any]) -> str:
        """Return a document with its signature, as a compact JWS: `head.payload.signature`, each in base64url."""
        signed = f"{self._head}.{_encode(_json(document))}"
        return f"{signed}.{_encode(self._key.sign(signed.encode()))}"


def check_public_key(x: str) -> None:
    """Raise ValueError unless this is the `x` of a JWK of an Ed25519 key."""
    raw = urlsafe_b64decode(x + "=" * (-len(x) % 4))
    if len(raw) != _KEY_BYTES or _encode(raw) != x:
        raise ValueError("a public key is 32 bytes in base64url without padding")
    Ed25519PublicKey.from_public_bytes(raw)


def _as_jwk(x: str) -> dict[str, str]:
    check_public_key(x)
    thumbprint = sha256(_json({"crv": "Ed25519", "kty": "OKP", "x": x})).digest()
    return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": _encode(thumbprint), "alg": ALGORITHM, "use": "sig"}


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False, allow_nan=False).encode()


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
