"""`manage.py demo`: one more organisation against a running installation."""

from argparse import ArgumentTypeError
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError

from config.local import catalogue, demo, environment, places
from config.local.engines import Kind
from foundation.errors import PlatformError
from foundation.money import nano
from keys.effective import WINDOWS, Limits


class Command(BaseCommand):
    help = "Found one more organisation in a running installation, and print its demo.env lines."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", default="Demo", help="its name")
        parser.add_argument("--credit", type=_dollars, default=Decimal(10), help="USD to start with (default 10)")
        parser.add_argument(
            "--rpm", type=_limit, help="requests per minute; in all limits 0 blocks, absent is unlimited"
        )
        parser.add_argument("--tpm", type=_limit, help="tokens per minute")
        parser.add_argument("--concurrency", type=_limit, help="requests at once")
        parser.add_argument("--budget", type=_dollars, help="USD per window")
        parser.add_argument("--window", choices=sorted(WINDOWS), help="how long the budget lasts")
        parser.add_argument("--models", type=_names, help="the only models allowed, separated by commas")
        parser.add_argument("--first", action="store_true", help="make what every installation starts with (make up)")
        parser.add_argument("--engine", type=Kind, default=Kind.NONE, help="with --first: whose models are offered")
        parser.add_argument("--replicas", type=_names, default=[], help="with --first: where the engine answers")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            lines = _first(options) if options["first"] else _another(options)
        except OperationalError as error:
            reason = str(error).partition("\n")[0]
            raise CommandError(f"The database does not answer; is `make up` running? ({reason})") from error
        except PlatformError as error:
            raise CommandError(error.message) from error
        self.stdout.write(environment.as_lines(lines), ending="")


def _first(options: dict[str, Any]) -> dict[str, str]:
    catalogue.offer(options["engine"], options["replicas"])
    return demo.found_first(environment.read(places.at(environment.data_folder()).demo))


def _another(options: dict[str, Any]) -> dict[str, str]:
    budget, window = options["budget"], options["window"]
    if (budget is None) != (window is None):
        raise CommandError("--budget and --window go together.")
    limits = Limits(
        rpm=options["rpm"],
        tpm=options["tpm"],
        concurrency=options["concurrency"],
        allowed_models=None if options["models"] is None else frozenset(options["models"]),
        budget_nusd=None if budget is None else nano(budget),
        budget_window=window,
    )
    founded = demo.found(name=options["organization"], credit=options["credit"], limits=limits)
    return founded.lines() | environment.addresses()


def _dollars(text: str) -> Decimal:
    try:
        amount = Decimal(text)
        nano(amount)
    except (InvalidOperation, ValueError) as error:
        raise ArgumentTypeError("an amount in USD has at most nine decimal places") from error
    if amount < 0:
        raise ArgumentTypeError("an amount is not negative")
    return amount


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ArgumentTypeError("a limit is a whole number; 0 blocks, and without it there is none")
    return int(text)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
