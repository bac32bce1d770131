"""Django's entry for this app."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """Registers `console`, which has pages and no tables."""

    name = "console"
