"""What is stored of a key: HMAC-SHA256 of the secret under a pepper that is in the environment, not in the database.

A key has 178 random bits, so nobody can guess it from a fast digest; the pepper makes a stolen database useless even
for telling whether a key is in it. No Django here: the caller brings the pepper.
"""

import hmac


def digest(secret: str, pepper: bytes) -> bytes:
    """Return the 32 bytes by which a key is found."""
    return hmac.digest(pepper, secret.encode("utf-8", "replace"), "sha256")
