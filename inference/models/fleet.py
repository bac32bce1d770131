"""Where models run: pools of equal replicas, and which model is deployed on which pool."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from foundation import clock
from foundation.ids import uuid7
from inference.gateway.engine_addresses import address_of
from inference.gateway.engines.templates import check_template
from inference.models.catalogue import Model

PLAIN_URL = r"^https?://[A-Za-z0-9._:\[\]-]+(/[A-Za-z0-9._~-]+)*/?$"
"""What the database makes sure of: no user, no query, no backslash. `check_url` looks closer."""


def check_url(url: str) -> None:
    """Refuse what is not plainly an engine's URL. Only operators enter one."""
    try:
        address_of(url)
    except ValueError as error:
        raise ValidationError(str(error), code="invalid") from error


def check_chat_template(value: str) -> None:
    """Refuse what no messages can be written with."""
    try:
        check_template(value)
    except ValueError as error:
        raise ValidationError(str(error), code="invalid") from error


class Pool(models.Model):
    """Replicas of one engine with one configuration. Times are milliseconds (docs/limits.md)."""

    class Engine(models.TextChoices):
        VLLM = "vllm", "vLLM"
        SGLANG = "sglang", "SGLang"
        TGI = "tgi", "Text Generation Inference"
        TRTLLM = "trtllm", "TensorRT-LLM (trtllm-serve)"
        TRITON = "triton", "Triton with TensorRT-LLM"
        LLAMACPP = "llamacpp", "llama.cpp"
        COMPATIBLE = "compatible", "OpenAI-compatible URL"
        OPENAI = "openai", "OpenAI"
        ANTHROPIC = "anthropic", "Anthropic"
        MISTRAL = "mistral", "Mistral"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.SlugField(max_length=64, unique=True)
    engine = models.CharField(max_length=16, choices=Engine)
    credential_env = models.CharField(
        max_length=64, blank=True, help_text="Name of the environment variable that holds the engine's API key."
    )
    # Opened by inference/gateway/credentials.py only, and written by inference/credentials.py.
    sealed_credential = models.TextField(blank=True, default="", editable=False)
    connect_ms = models.PositiveIntegerField(default=2_000)
    first_byte_ms = models.PositiveIntegerField(default=60_000)
    between_tokens_ms = models.PositiveIntegerField(default=30_000)
    total_ms = models.PositiveIntegerField(default=600_000)
    max_concurrency = models.PositiveIntegerField(
        "requests at once", null=True, blank=True, help_text="Of all organizations together; empty is unlimited."
    )
    weight = models.PositiveSmallIntegerField(default=1)
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ("name",)
        constraints = (
            models.CheckConstraint(
                condition=Q(connect_ms__gte=1, first_byte_ms__gte=1, between_tokens_ms__gte=1, total_ms__gte=1),
                name="pool_times_are_positive",
            ),
            models.CheckConstraint(
                condition=Q(credential_env="") | Q(sealed_credential=""), name="pool_has_one_credential_at_most"
            ),
        )

    def __str__(self) -> str:
        return self.name


class Deployment(models.Model):
    """A model on a pool, under the name that the engines there know it by."""

    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="deployments")
    pool = models.ForeignKey(Pool, on_delete=models.CASCADE, related_name="deployments")
    upstream_name = models.CharField(max_length=128)
    weight = models.PositiveSmallIntegerField(default=1)
    chat_template = models.TextField(
        blank=True,
        default="",
        validators=[check_chat_template],
        help_text="For engines that know no messages: chatml, llama3, mistral, gemma, or the model's own, in Jinja.",
    )

    class Meta:
        constraints = (models.UniqueConstraint(fields=("model", "pool"), name="deployment_once_per_model_and_pool"),)

    def __str__(self) -> str:
        return f"{self.model_id} on {self.pool}"


class Replica(models.Model):
    """One engine process. The prober sets its state; an operator may set `draining`."""

    class State(models.TextChoices):
        UNKNOWN = "unknown"
        HEALTHY = "healthy"
        UNHEALTHY = "unhealthy"
        DRAINING = "draining"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    pool = models.ForeignKey(Pool, on_delete=models.CASCADE, related_name="replicas")
    url = models.CharField(
        max_length=255, unique=True, validators=[check_url], help_text="The engine's root, without /v1."
    )
    state = models.CharField(max_length=16, choices=State, default=State.UNKNOWN)
    failures = models.PositiveIntegerField(default=0, help_text="Probes failed in a row.")
    checked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("pool", "url")
        constraints = (models.CheckConstraint(condition=Q(url__regex=PLAIN_URL), name="replica_url_is_plain"),)

    def __str__(self) -> str:
        return self.url
