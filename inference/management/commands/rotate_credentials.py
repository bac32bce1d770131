"""`manage.py rotate_credentials`: seal the engines' credentials anew under the first of CREDENTIAL_KEYS."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from inference import credentials
from tenants.audit import Actor


class Command(BaseCommand):
    """Safe to repeat. Exits with 1 where a credential cannot be opened by any key."""

    help = "Seal the credentials of pools anew under the first key of CREDENTIAL_KEYS, so that older keys can go."

    def handle(self, *args: Any, **options: Any) -> None:
        """Tell what was done, pool by pool."""
        if not credentials.keyring():
            raise CommandError("CREDENTIAL_KEYS is empty.")
        done = credentials.rotate(actor=Actor.system("rotate_credentials"))
        for name in done.sealed_anew:
            self.stdout.write(f"{name}: sealed anew")
        self.stdout.write(f"{len(done.sealed_anew)} sealed anew, {len(done.current)} were current.")
        if done.closed:
            raise CommandError(
                f"No key opens the credential of: {', '.join(done.closed)}. Enter it again in the admin."
            )
