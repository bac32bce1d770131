"""Django's entry for the roof."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Registers `config`, which wires the other apps together and owns no table."""

    name = "config"
