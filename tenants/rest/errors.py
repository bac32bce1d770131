"""What can go wrong with repeating a request."""

from foundation.errors import Conflict


class IdempotencyKeyReused(Conflict):
    """The key was used for another request: to do either would be a guess."""

    code = "idempotency_key_reused"
    message = "This Idempotency-Key was used for another request. Use a new one."


class ReplayWithoutSecret(Conflict):
    """The first answer held a secret, and secrets are stored nowhere."""

    code = "idempotency_replay_without_secret"
    message = "This request was done before, and its answer held a secret that is shown once only."
