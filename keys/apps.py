"""Django's entry for this app."""

from django.apps import AppConfig


class KeysConfig(AppConfig):
    """Registers `keys`."""

    name = "keys"
    default_auto_field = "django.db.models.BigAutoField"
