"""What can go wrong with keys. No Django here: the hot path raises these."""

from foundation.errors import Conflict, Forbidden, InvalidRequest, Unauthenticated


class InvalidApiKey(Unauthenticated):
    """No key, or one that is not ours, is not known, or is of the wrong kind."""

    code = "invalid_api_key"
    message = "The API key is missing or wrong. Send it as 'Authorization: Bearer YOUR_KEY'."


class KeyExpired(Unauthenticated):
    """The key was good until its time was over."""

    code = "key_expired"
    message = "This API key has expired. Use a new one."


class KeyRevoked(Unauthenticated):
    """The key was good until somebody revoked it."""

    code = "key_revoked"
    message = "This API key was revoked. Use a new one."


class ConflictingCredentials(InvalidRequest):
    """More than one credential in a request: it would be a guess which one pays."""

    message = "Send exactly one API key, in one header."


class ModelNotAllowed(Forbidden):
    """The key, its project, its organisation or a plan of theirs leaves this model out."""

    code = "model_not_allowed"
    message = "This API key may not use this model."


class KeyAlreadyRevoked(Conflict):
    """It cannot be revoked, or rotated, after it was revoked."""

    code = "key_already_revoked"
    message = "This API key is revoked already."


class KeyAlreadyReplaced(Conflict):
    """A key is rotated once; then it is its successor that is rotated."""

    code = "key_already_replaced"
    message = "This API key was rotated already. Rotate its successor."


class InvalidLimit(InvalidRequest):
    """A limit, a budget, an expiry or a scope that makes no sense; `param` says which."""

    message = "This limit is not valid."
