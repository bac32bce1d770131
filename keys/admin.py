"""The operators' pages about keys (never their secrets), plans and limits."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from foundation import clock, ids, money
from keys import issuing, limiting, planning, subjects
from keys.forms import LimitsForm, OwnLimitsForm, PlanForm, ScopeForm
from keys.models import ApiKey, LimitFields, Plan, ScopeLimits
from keys.subjects import Subject
from tenants.asking import ReasonForm, answers
from tenants.models import Organization, Project
from tenants.operating import ReadOnlyAdmin, actor, detail_action, labelled

LIMIT_COLUMNS = ("rpm", "tpm", "input_tpm", "output_tpm", "concurrency", "max_output_tokens", "models", "budget")


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Keys of programs. What opens doors, the secret, is not in the database; its digest is not shown either."""

    list_display = ("name", "display", "organization", "project", "kind", "state", "last_used_at", "expires_at")
    list_filter = ("kind", "mode", ("revoked_at", admin.EmptyFieldListFilter))
    list_select_related = ("organization", "project")
    search_fields = ("name", "display", "organization__name", "organization__slug")
    search_help_text = "Name, the visible ends of the key, organization, or a public id"
    ordering = ("-created_at",)
    fields = (
        "public_id",
        "name",
        "display",
        "state",
        "organization",
        "project",
        "kind",
        "mode",
        "scopes",
        "metadata",
        "created_by",
        "created_at",
        "last_used_at",
        "expires_at",
        "revoked_at",
        "revoked_reason",
        "replaced_by",
    )
    actions_detail = ("revoke",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        """Leave the digest in the database."""
        keys: QuerySet[ApiKey] = super().get_queryset(request).defer("digest")
        return keys

    @labelled("State", {"Active": "success", "Revoked": "danger", "Expired": "warning"})
    def state(self, key: ApiKey) -> str:
        """Say whether it works."""
        if key.revoked_at is not None:
            return "Revoked"
        if key.expires_at is not None and key.expires_at <= clock.now():
            return "Expired"
        return "Active"

    def has_revoke_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Say whether the action is offered."""
        return self.may(request, "change")

    @detail_action("Revoke", icon="block", permission="revoke")
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Make a key useless, with a reason."""
        key: ApiKey = self.found(request, object_id)
        return self.ask(
            request,
            ReasonForm(answers(request)),
            lambda asked: issuing.revoke(key=key, reason=asked["reason"], actor=actor(request)),
            title=f"Revoke {key.name} of {key.organization}?",
            explanation="Programs that use it are refused from the next request on. This cannot be undone.",
            button="Revoke key",
            done="The key is revoked.",
            target=key,
        )


class LimitsColumns(ReadOnlyAdmin):
    """What plans and the limits of scopes show alike."""

    @admin.display(description="Budget", ordering="budget_nusd")
    def budget(self, row: LimitFields) -> str:
        """Show amount and window."""
        if row.budget_nusd is None:
            return "–"
        amount = f"{money.display(row.budget_nusd)} per {row.get_budget_window_display()}"
        kind = "" if row.budget_mode == LimitFields.Mode.HARD else f" ({row.budget_mode})"
        carries = ", carries over" if row.budget_carries_over else ""
        return f"{amount.replace('per For ever', 'in all')}{kind}{carries}"

    @admin.display(description="Models")
    def models(self, row: LimitFields) -> str:
        """Show which models are allowed."""
        return "every model" if row.allowed_models is None else ", ".join(row.allowed_models) or "none"

    def has_edit_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Say whether the actions are offered."""
        return self.may(request, "change")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "add")


@admin.register(Plan)
class PlanAdmin(LimitsColumns):
    """Limits under a name, to give to organisations, projects and keys."""

    list_display = ("name", "slug", "organization", "rpm", "tpm", "concurrency", "budget", "models")
    list_filter = (("organization", admin.EmptyFieldListFilter),)
    list_select_related = ("organization",)
    search_fields = ("name", "slug", "organization__name")
    ordering = ("name",)
    fields = ("public_id", "name", "slug", "organization", *LIMIT_COLUMNS, "created_at")
    actions_detail = ("change_limits",)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> Any:
        """Make a plan."""
        self.check_may(request, "add")
        return self.ask(
            request,
            PlanForm(answers(request)),
            lambda asked: planning.create(
                name=asked["name"],
                slug=asked["slug"],
                organization=asked["organization"],
                limits=LimitsForm.limits(asked),
                actor=actor(request),
            ),
            title="Add a plan",
            explanation="An empty limit is none; 0 blocks.",
            button="Add plan",
            done="The plan was added.",
        )

    @detail_action("Change limits", icon="tune", permission="edit")
    def change_limits(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give the plan other limits."""
        plan: Plan = self.found(request, object_id)
        return self.ask(
            request,
            LimitsForm(answers(request), initial=LimitsForm.initial_of(plan)),
            lambda asked: planning.change(plan=plan, limits=LimitsForm.limits(asked), actor=actor(request)),
            title=f"Limits of the plan {plan}",
            explanation="Everybody who has the plan gets them at once. An empty limit is none; 0 blocks.",
            button="Change limits",
            done="The limits were changed.",
            target=plan,
        )


@admin.register(ScopeLimits)
class ScopeLimitsAdmin(LimitsColumns):
    """What one organisation, project, key or subject may."""

    list_display = ("scope", "whose", "organization", "plan", "rpm", "tpm", "concurrency", "budget", "models")
    list_filter = ("scope", "plan")
    list_select_related = ("organization", "plan")
    search_fields = ("label", "organization__name", "organization__slug")
    search_help_text = "Organization, customer, model, address, or the public id of a project or a key"
    ordering = ("organization__name", "scope")
    fields: ClassVar[tuple[str, ...]] = ("scope", "whose", "organization", "plan", *LIMIT_COLUMNS, "created_at")
    actions_detail = ("change_limits",)
    public_id_field = "scope_id"

    @admin.display(description="Whose")
    def whose(self, row: ScopeLimits) -> str:
        """Show the public id; a key is named by the first key it came from by rotation."""
        if row.label:
            return row.label
        prefixes = {"organization": Organization.PREFIX, "project": Project.PREFIX, "key": ApiKey.PREFIX}
        return ids.public(prefixes[row.scope], row.scope_id)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> Any:
        """Give something limits."""
        self.check_may(request, "add")
        return self.ask(
            request,
            ScopeForm(answers(request), initial=request.GET.dict()),
            lambda asked: self._set(request, asked["target"], asked),
            title="Set limits",
            explanation="In place of those it may have. An empty limit is none; 0 blocks.",
            button="Set limits",
            done="The limits were set.",
        )

    @detail_action("Change limits", icon="tune", permission="edit")
    def change_limits(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give it other limits."""
        row: ScopeLimits = self.found(request, object_id)
        return self.ask(
            request,
            OwnLimitsForm(answers(request), initial=LimitsForm.initial_of(row) | {"plan": row.plan_id}),
            lambda asked: self._set(request, _target(row), asked),
            title=f"Limits of {self.whose(row)} of {row.organization}",
            explanation="Gateways heed them within a second. An empty limit is none; 0 blocks.",
            button="Change limits",
            done="The limits were changed.",
            target=row,
        )

    def _set(self, request: HttpRequest, target: limiting.Target, asked: dict[str, Any]) -> ScopeLimits:
        limits = LimitsForm.limits(asked)
        return limiting.set_limits(target=target, limits=limits, plan=asked["plan"], actor=actor(request))


def _target(row: ScopeLimits) -> limiting.Target:
    scope_id: UUID = row.scope_id
    if row.scope == ScopeLimits.Scope.ORGANIZATION:
        return row.organization
    if row.scope == ScopeLimits.Scope.PROJECT:
        return Project.objects.get(pk=scope_id)
    if row.scope in subjects.SCOPES:
        return Subject(row.organization_id, row.scope, "" if scope_id == subjects.EACH else row.label)
    # The newest of its line: the limits are those of all keys that came from it.
    return ApiKey.objects.filter(lineage=scope_id).latest("created_at")
