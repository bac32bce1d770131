"""The operators' pages about the catalogue: models, prices, and the pools and replicas that serve them.

Every change is told to the gateways as it is committed, and stands in the audit trail.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.postgres.fields import ArrayField
from django.db.models import Count, Model, Q, QuerySet, TextField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from billing import price_list, prices, rerating, units
from billing.models import Price, PriceComponent
from foundation import money
from inference import credentials, models, offers
from inference.forms import PoolForm, PriceForm
from inference.publishing import catalogue_changed
from tenants import audit
from tenants.asking import AskForm, answers
from tenants.models import Organization
from tenants.operating import (
    EditableInline,
    OperatorAdmin,
    ReadOnlyAdmin,
    ReadOnlyInline,
    actor,
    detail_action,
    labelled,
)

MOST_CORRECTED = 50_000
"""Requests that one page corrects while it is waited for: wallets are locked until all of it is posted."""
TOO_MANY = "There are too many requests to correct them from here: use manage.py rerate."
STATE_TONES = {"Healthy": "success", "Unhealthy": "danger", "Draining": "warning", "Unknown": "info"}
ALL_UP, SOME_UP, NONE_UP = "all up", "some up", "none up"
REPLICA_TONES = {ALL_UP: "success", SOME_UP: "warning", NONE_UP: "danger"}


class CatalogueAdmin(OperatorAdmin):
    """Objects of the catalogue: changes are audited and told to the gateways."""

    formfield_overrides: ClassVar = {
        ArrayField: {"widget": UnfoldAdminTextInputWidget, "help_text": "With commas between them."},
        TextField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 3})},
    }

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Note and tell once the object and its parts are saved."""
        super().save_related(request, form, formsets, change)
        target: Model = form.instance
        fields = [*form.changed_data, *(name for formset in formsets for name in _changed(formset))]
        verb = "changed" if change else "added"
        audit.record(actor(request), f"{self.opts.model_name}.{verb}", target, name=str(target), fields=fields)
        catalogue_changed()

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        """Note, delete and tell."""
        audit.record(actor(request), f"{self.opts.model_name}.deleted", obj, name=str(obj))
        super().delete_model(request, obj)
        catalogue_changed()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Note, delete and tell, one by one."""
        for obj in queryset:
            self.delete_model(request, obj)


def _changed(formset: Any) -> list[str]:
    """Name the parts of an object that a formset changed."""
    objects = [*formset.new_objects, *(obj for obj, _ in formset.changed_objects), *formset.deleted_objects]
    return [f"{formset.model._meta.verbose_name} {obj}" for obj in objects]


class DeploymentInline(EditableInline):
    """Where the model runs."""

    model = models.Deployment
    fields = ("pool", "upstream_name", "weight", "chat_template")


@admin.register(models.Model)
class ModelAdmin(CatalogueAdmin):
    """Models, as callers see them."""

    list_display = ("id", "display_name", "context_length", "max_output_tokens", "price", "replicas", "enabled")
    list_filter = ("enabled",)
    search_fields = ("id", "display_name", "description")
    ordering = ("id",)
    fieldsets = (
        (None, {"fields": ("id", "display_name", "description", "owned_by", "enabled", "price", "endpoints")}),
        (
            "What it can",
            {
                "fields": (
                    ("context_length", "max_output_tokens"),
                    ("input_modalities", "output_modalities"),
                    "max_audio_seconds",
                )
            },
        ),
        ("Names", {"fields": ("aliases", "tags")}),
        ("End of life", {"fields": ("deprecated_at", "sunset_at")}),
    )
    inlines = (DeploymentInline,)

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> tuple[str, ...]:
        """Keep the id of a model that is there: callers, prices and usage name it."""
        return ("price", "endpoints", "id") if obj is not None else ("price", "endpoints")

    def get_queryset(self, request: HttpRequest) -> QuerySet[models.Model]:
        """Count the replicas that serve each."""
        enabled = Q(deployments__pool__enabled=True)
        healthy = enabled & Q(deployments__pool__replicas__state=models.Replica.State.HEALTHY)
        rows: QuerySet[models.Model] = (
            super()
            .get_queryset(request)
            .annotate(
                replicas_known=Count("deployments__pool__replicas", filter=enabled, distinct=True),
                replicas_healthy=Count("deployments__pool__replicas", filter=healthy, distinct=True),
            )
        )
        return rows

    @labelled("Replicas", REPLICA_TONES)
    def replicas(self, model: Any) -> str:
        """Say how many of its replicas answer."""
        return _standing(model.replicas_healthy, model.replicas_known)

    @admin.display(description="Price (tokens by the million)")
    def price(self, model: models.Model) -> str:
        """Show the price in force."""
        if not model.pk:
            return "Publish a price once the model is saved: without one it cannot be called."
        return described(price_list.of([model.pk]).get(model.pk))

    @admin.display(description="Offered at")
    def endpoints(self, model: models.Model) -> str:
        """Show where it can be called, by its modalities, its engines and its price."""
        return ", ".join(offers.of([model])[0].endpoints) if model.pk else ""


def _standing(up: int, known: int) -> str:
    if not up:
        return NONE_UP
    return ALL_UP if up == known else SOME_UP


def described(price: Price | None) -> str:
    """Write a price on one line."""
    if price is None:
        return "none: cannot be called"
    if price.free:
        return "free"
    rates = {component.kind: component.usd_per_million for component in price.components.all()}
    names = {"input": "in", "cached_input": "cached", "output": "out"}
    tokens = [f"${rates[kind].normalize():f} {name}" for kind, name in names.items() if kind in rates]
    others = units.listed({kind: rate for kind, rate in rates.items() if kind not in names})
    return ", ".join([*tokens, *others])


class ReplicaInline(EditableInline):
    """The pool's engines."""

    model = models.Replica
    fields = ("url", "state", "failures", "checked_at")
    readonly_fields = ("failures", "checked_at")


class ServedInline(EditableInline):
    """The models that run on the pool."""

    model = models.Deployment
    fields = ("model", "upstream_name", "weight", "chat_template")
    verbose_name_plural = "Models"


@admin.register(models.Pool)
class PoolAdmin(CatalogueAdmin):
    """Replicas of one engine with one configuration."""

    list_display = ("name", "engine", "served", "replicas", "weight", "enabled")
    list_filter = ("engine", "enabled")
    search_fields = ("name", "replicas__url")
    fieldsets = (
        (None, {"fields": ("name", "engine", "weight", "max_concurrency", "enabled")}),
        ("Credential", {"fields": ("credential_state", "credential", "forget_credential", "credential_env")}),
        (
            "Longest waits, in milliseconds",
            {"fields": (("connect_ms", "first_byte_ms"), ("between_tokens_ms", "total_ms"))},
        ),
    )
    form = PoolForm
    readonly_fields = ("credential_state",)
    inlines = (ReplicaInline, ServedInline)

    @admin.display(description="Credential")
    def credential_state(self, pool: models.Pool) -> str:
        """Say whether there is one, never which."""
        return credentials.described(pool)

    def get_queryset(self, request: HttpRequest) -> QuerySet[models.Pool]:
        """Count replicas and models."""
        healthy = Q(replicas__state=models.Replica.State.HEALTHY)
        rows: QuerySet[models.Pool] = (
            super()
            .get_queryset(request)
            .annotate(
                replicas_known=Count("replicas", distinct=True),
                replicas_healthy=Count("replicas", filter=healthy, distinct=True),
                models_served=Count("deployments", distinct=True),
            )
        )
        return rows

    @admin.display(description="Models", ordering="models_served")
    def served(self, pool: Any) -> int:
        """Say how many models run here."""
        return int(pool.models_served)

    @labelled("Replicas", REPLICA_TONES)
    def replicas(self, pool: Any) -> str:
        """Say how many answer."""
        return _standing(pool.replicas_healthy, pool.replicas_known)


@admin.register(models.Deployment)
class DeploymentAdmin(CatalogueAdmin):
    """Which model runs on which pool, under which name."""

    list_display = ("model", "pool", "upstream_name", "weight")
    list_filter = ("pool",)
    list_select_related = ("model", "pool")
    search_fields = ("model__id", "pool__name", "upstream_name")
    ordering = ("model", "pool")


@admin.register(models.Replica)
class ReplicaAdmin(CatalogueAdmin):
    """Engine processes. The prober sets their state; `draining` is an operator's word."""

    list_display = ("url", "pool", "state_label", "failures", "checked_at")
    list_filter = ("state", "pool")
    list_select_related = ("pool",)
    search_fields = ("url", "pool__name")
    fields = ("pool", "url", "state", "failures", "checked_at")
    readonly_fields = ("failures", "checked_at")

    @labelled("State", STATE_TONES, order="state")
    def state_label(self, replica: models.Replica) -> str:
        """Show the state in colour."""
        return replica.get_state_display()


class ComponentInline(ReadOnlyInline):
    """The rates of a price."""

    model = PriceComponent
    fields = ("kind", "usd_per_million")
    show_change_link = False
    show_title = False
    verbose_name_plural = "US dollars per million"


@admin.register(Price)
class PriceAdmin(ReadOnlyAdmin):
    """Versions of prices. One that is published never changes: publish the next."""

    list_display = ("model", "version", "rates", "effective_from", "created_at")
    search_fields = ("model",)
    ordering = ("model", "-version")
    fields = ("public_id", "model", "version", "free", "effective_from", "created_at")
    inlines = (ComponentInline,)
    actions_detail = ("rerate",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Price]:
        """Bring the rates along."""
        rows: QuerySet[Price] = super().get_queryset(request).prefetch_related("components")
        return rows

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "add")

    @admin.display(description="Rates (tokens by the million)")
    def rates(self, price: Price) -> str:
        """Show the rates."""
        return described(price)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Publish the next version of a price."""
        self.check_may(request, "add")
        return self.ask(
            request,
            PriceForm(answers(request), initial=request.GET.dict()),
            lambda asked: self._publish(request, asked),
            title="Publish a price",
            explanation="In US dollars. Earlier versions stay, as does what was charged by them.",
            button="Publish price",
            done="The price is published.",
        )

    def has_rerate_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Say whether the action is offered: to those who may publish prices."""
        return self.may(request, "add")

    @detail_action("Correct past charges", icon="price_change", permission="rerate")
    def rerate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what this version changes for requests since its start; post the differences once that is confirmed."""
        price: Price = self.found(request, object_id)
        impacts = [
            impact for impact in rerating.preview(model=price.model, since=price.effective_from) if impact.differences
        ]
        requests = sum(len(impact.differences) for impact in impacts)
        if not 0 < requests <= MOST_CORRECTED:
            nothing = f"Nothing to correct: the requests of {price.model} since then are charged by the present prices."
            self.message_user(request, TOO_MANY if requests else nothing, messages.INFO)
            return redirect("admin:billing_price_change", price.pk)
        return self.ask(
            request,
            AskForm(answers(request)),
            lambda asked: self._correct(request, price),
            title=f"Correct what was charged for {price.model} since {price.effective_from:%Y-%m-%d %H:%M} UTC?",
            explanation=_impact(impacts),
            button="Post the differences",
            done="The differences are posted.",
            target=price,
        )

    def _correct(self, request: HttpRequest, price: Price) -> None:
        rerating.confirm(model=price.model, since=price.effective_from, actor=actor(request))

    def _publish(self, request: HttpRequest, asked: dict[str, Any]) -> Price:
        price = prices.publish(
            model=asked["model"].pk,
            components=PriceForm.components(asked),
            effective_from=asked["effective_from"],
            free=asked["free"],
            actor=actor(request),
        )
        catalogue_changed()
        return price


def _impact(impacts: list[rerating.Impact]) -> SafeString:
    """Tell a dry run, organisation by organisation."""
    names = dict(Organization.objects.filter(pk__in=[one.organization_id for one in impacts]).values_list("pk", "name"))
    total = sum(impact.difference_nusd for impact in impacts)
    head = format_html(
        "A dry run: nothing is posted yet. What was charged stays; each organization gets one entry on top, in all {}.",
        money.display(total),
    )
    lines = format_html_join("", "<br>{}: {}.", ((names[impact.organization_id], impact) for impact in impacts))
    return head + lines
