"""The name of a key and the notes on it: what people call it. No gateway needs to hear of either."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from keys.metadata import checked
from keys.models import ApiKey
from tenants import audit, naming
from tenants.audit import Actor


@transaction.atomic
def rename(*, key: ApiKey, name: str, actor: Actor) -> None:
    """Give a key another name. Raises InvalidName."""
    before, key.name = key.name, naming.name(name)
    key.save(update_fields=["name"])
    audit.record(actor, "key.renamed", key, before=before, after=key.name)


@transaction.atomic
def annotate(*, key: ApiKey, metadata: Mapping[str, str], actor: Actor) -> None:
    """Replace what is noted on a key. Raises InvalidLimit for notes that are too many or too long."""
    key.metadata = checked(metadata)
    key.save(update_fields=["metadata"])
    audit.record(actor, "key.annotated", key, names=sorted(key.metadata))
