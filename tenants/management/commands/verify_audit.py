"""Check the audit trail's chain of hashes; fail and say where it is broken."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tenants import audit


class Command(BaseCommand):
    help = "Check that no entry of the audit trail was changed or removed; print its end, to be noted elsewhere."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the chain's end, or exit non-zero naming the first broken entry."""
        if broken := audit.verify_chain():
            place = f"entry {broken.seq}" if broken.seq is not None else "the trail"
            raise CommandError(f"The audit trail is broken at {place}: {broken.reason}.")
        seq, digest = audit.chain_end()
        self.stdout.write(f"The audit trail is whole: {seq} entries, the last is {digest or 'none'}.")
