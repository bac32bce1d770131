"""What proxies say of a request counts only from proxies of ours: from anybody else it is taken away.

The gateway reads X-Forwarded-For by the same rule (inference/gateway/addresses.py); this is for Django's pages.
"""

from collections.abc import Sequence

from foundation.web import Scope
from inference.gateway.addresses import Addresses, Network

_PREFIX, _STANDARD = b"x-forwarded-", b"forwarded"


class Forwarding:
    """Makes a request what it is without the word of strangers."""

    def __init__(self, trusted: Sequence[Network]) -> None:
        self._addresses = Addresses(trusted)

    def believed(self, scope: Scope) -> Scope:
        """Return the request, without any header about forwarding unless a trusted proxy sent it."""
        said = any(name.startswith(_PREFIX) or name == _STANDARD for name, _ in scope["headers"])
        if not said or self._addresses.vouched(scope):
            return scope
        kept = [pair for pair in scope["headers"] if not pair[0].startswith(_PREFIX) and pair[0] != _STANDARD]
        return {**scope, "headers": kept}
