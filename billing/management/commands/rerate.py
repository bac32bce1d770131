"""`manage.py rerate MODEL --since INSTANT`: what a corrected price changes; `--confirm` posts it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing import rerating
from foundation import ids
from foundation.money import display
from tenants.audit import Actor


class Command(BaseCommand):
    """A dry run, unless it is confirmed."""

    help = "Show, and with --confirm post, what a corrected price of a model changes for requests of the past."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the model, the instant and the confirmation."""
        parser.add_argument("model")
        parser.add_argument("--since", required=True, help="An instant, such as 2026-11-01T00:00:00Z.")
        parser.add_argument("--confirm", action="store_true", help="Post the compensating entries.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Tell the impact, organization by organization."""
        since = _instant(options["since"])
        if options["confirm"]:
            impacts = rerating.confirm(model=options["model"], since=since, actor=Actor.system("rerate"))
        else:
            impacts = rerating.preview(model=options["model"], since=since)
        for impact in impacts:
            self.stdout.write(f"{ids.public('org', impact.organization_id)}: {impact}")
        total = sum(impact.difference_nusd for impact in impacts)
        done = "Posted" if options["confirm"] else "Dry run, nothing posted"
        self.stdout.write(f"{done}: {len(impacts)} organizations, {display(total)} in all.")


def _instant(text: str) -> datetime:
    try:
        value = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError("--since is an instant such as 2026-11-01T00:00:00Z.") from error
    return value if value.tzinfo else value.replace(tzinfo=UTC)
