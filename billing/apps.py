"""Django's entry for this app."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    """Registers `billing`."""

    name = "billing"
    default_auto_field = "django.db.models.BigAutoField"
