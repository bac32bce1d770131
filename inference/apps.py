"""Django's entry for this app."""

from importlib import import_module

from django.apps import AppConfig

from billing import reconciliation


class InferenceConfig(AppConfig):
    """Registers `inference`, and its rollups with the proof of the books."""

    name = "inference"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let `verify_ledger` prove the rollups, which billing does not know of."""
        reconciliation.DERIVED["usage"] = import_module("inference.usage").differences
