"""The models and engines as the gateway sees them: one frozen snapshot in memory, replaced as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from billing.rates import Rates
from inference.gateway.errors import ModelNotFound


@dataclass(frozen=True, slots=True)
class Replica:
    """One engine process; `url` is its root without a trailing slash."""

    id: str
    url: str
    healthy: bool


@dataclass(frozen=True, slots=True)
class Pool:
    """Equal replicas, the times they get, in seconds, and how many requests they take at once, all together."""

    name: str
    engine: str
    credential: str = field(repr=False)
    connect_seconds: float
    first_byte_seconds: float
    between_tokens_seconds: float
    total_seconds: float
    replicas: tuple[Replica, ...]
    max_concurrency: int | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """A pool that serves a model, the name the engines there know it by, and how messages are written for them.

    `template` is empty where they can write messages themselves (`engines/templates.py`).
    """

    pool: Pool
    upstream_name: str
    weight: int
    template: str = ""


@dataclass(frozen=True, slots=True)
class Model:
    """One entry of the catalogue with its prices (oldest first) and routes."""

    id: str
    display_name: str
    owned_by: str
    created: int
    context_length: int
    max_output_tokens: int
    aliases: frozenset[str]
    sunset_at: datetime | None
    prices: tuple[Rates, ...]
    routes: tuple[Route, ...]
    input_modalities: tuple[str, ...] = ("text",)
    output_modalities: tuple[str, ...] = ("text",)
    max_audio_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All models by id and by alias."""

    models: tuple[Model, ...] = ()
    names: Mapping[str, Model] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def of(cls, models: tuple[Model, ...]) -> Catalogue:
        """Index models. An id wins over another model's alias."""
        names = {alias: model for model in models for alias in model.aliases}
        names |= {model.id: model for model in models}
        return cls(models, MappingProxyType(names))

    def find(self, name: str, at: datetime) -> Model:
        """Return the model of this id or alias. Raises `ModelNotFound`, also for one past its sunset."""
        model = self.names.get(name)
        if model is None or (model.sunset_at is not None and model.sunset_at <= at):
            raise ModelNotFound(f"The model {name[:128]!r} does not exist.", param="model")
        return model
