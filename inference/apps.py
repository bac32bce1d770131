"""Django's entry for this app."""

from django.apps import AppConfig


class InferenceConfig(AppConfig):
    """Registers `inference`."""

    name = "inference"
    default_auto_field = "django.db.models.BigAutoField"
