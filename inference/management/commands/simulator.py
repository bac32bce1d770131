"""`python manage.py simulator`: the engine simulator, for those who have Django at hand anyway."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from inference.simulator import command


class Command(BaseCommand):
    """Runs the simulator until SIGTERM or Ctrl-C."""

    help = command.DESCRIPTION
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the simulator's own flags."""
        command.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve, and end with the simulator's exit status."""
        raise SystemExit(command.run(options))
