"""What a key looks like: `tpk_live_` + 30 random characters + 6 of checksum, in base 62.

`tpk` is for inference, `tpm` for management; `live` and `test` say whether it is meant for real traffic. The checksum
is the CRC-32 (zlib's) of all that stands before it, so a typing error, a cut or a key of somebody else's is told apart
without looking anything up, and scanners for leaked secrets can be certain. Thirty characters are 178 bits of secret.
"""

import re
import secrets
import string
import zlib

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
SECRET_LENGTH = 30
CHECKSUM_LENGTH = 6
LENGTH = len("tpk_live_") + SECRET_LENGTH + CHECKSUM_LENGTH

_KINDS = {"inference": "tpk", "management": "tpm"}
_KINDS_BY_PREFIX = {prefix: kind for kind, prefix in _KINDS.items()}
_SHAPE = re.compile(r"tp[km]_(?:live|test)_[0-9A-Za-z]{36}")


def mint(kind: str, mode: str) -> str:
    """Return a new secret of this kind (inference, management) and mode (live, test)."""
    body = f"{_KINDS[kind]}_{mode}_" + "".join(secrets.choice(ALPHABET) for _ in range(SECRET_LENGTH))
    return body + checksum(body)


def checksum(body: str) -> str:
    """Return the six characters that end a key of this body (its prefix included)."""
    number, digits = zlib.crc32(body.encode()), []
    for _ in range(CHECKSUM_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))


def looks_valid(secret: str) -> bool:
    """Say whether this has the shape of a key and its checksum is right."""
    return _SHAPE.fullmatch(secret) is not None and checksum(secret[:-CHECKSUM_LENGTH]) == secret[-CHECKSUM_LENGTH:]


def kind_of(secret: str) -> str | None:
    """Return what a key is for by its prefix (inference, management), or nothing for other text."""
    return _KINDS_BY_PREFIX.get(secret[:3])


def display(secret: str) -> str:
    """Return what may be shown of a key for ever: its first 13 and its last 4 characters."""
    return f"{secret[:13]}…{secret[-4:]}"
