"""Finding the one credential of a request: the same rule at every edge, for every dialect."""

from collections.abc import Iterable

from keys.errors import ConflictingCredentials, InvalidApiKey

_BEARER = b"bearer "
_HEADERS = (b"authorization", b"x-api-key", b"api-key")


def resolve(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return the secret in `Authorization: Bearer`, `x-api-key` or `api-key`; header names in lower case, as in ASGI.

    Raises InvalidApiKey if there is none and ConflictingCredentials if there is more than one, even if they are equal.
    A query string is never looked at: addresses end up in logs.
    """
    found = [(name, value) for name, value in headers if name in _HEADERS]
    if len(found) > 1:
        raise ConflictingCredentials
    if not found:
        raise InvalidApiKey
    name, value = found[0]
    if name == b"authorization":
        if value[: len(_BEARER)].lower() != _BEARER:
            raise InvalidApiKey
        value = value[len(_BEARER) :]
    secret = value.strip(b" ")
    if not secret or not secret.isascii():
        raise InvalidApiKey
    return secret.decode("ascii")
