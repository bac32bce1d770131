"""The operators' page of an organisation. It is up here because it brings tenants and their money together."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from billing import wallet
from billing.models import Purse
from config import limits_admin  # noqa: F401 - it registers its page
from config.forms import AdjustForm, FoundForm, SettingsForm
from foundation import money
from keys.models import ApiKey, ScopeLimits
from tenants import founding, organizations
from tenants.asking import ReasonForm, answers
from tenants.models import Membership, Organization, Project
from tenants.operating import ReadOnlyAdmin, ReadOnlyInline, actor, amount, detail_action, labelled

# Part of signing in; operators change a user's own address instead.
admin.site.unregister(EmailAddress)
admin.site.index_title = "Dashboard"


class MemberInline(ReadOnlyInline):
    """Who is in it."""

    model = Membership
    fields = ("user", "role", "created_at")
    tab = True


class ProjectInline(ReadOnlyInline):
    """Its parts."""

    model = Project
    fields = ("name", "slug", "archived_at", "created_at")
    tab = True


class KeyInline(ReadOnlyInline):
    """Its keys, without what opens doors."""

    model = ApiKey
    verbose_name_plural = "API keys"
    fields = ("name", "display", "kind", "last_used_at", "expires_at", "revoked_at")
    tab = True


@admin.register(Organization)
class OrganizationAdmin(ReadOnlyAdmin):
    """Tenants. Money moves here only, by an action with a reason."""

    list_display = ("name", "slug", "status_label", "balance", "in_flight", "time_zone", "created_at")
    list_filter = ("status",)
    search_fields = ("name", "slug")
    ordering = ("name",)
    fields = (
        "public_id",
        "name",
        "slug",
        "status_label",
        "balance",
        "in_flight",
        "time_zone",
        "origins",
        "config_version",
        "created_at",
    )
    inlines = (MemberInline, ProjectInline, KeyInline)
    actions_detail = ("adjust_credit", "set_limits", "change_settings", "suspend", "resume")

    balance = amount("posted_nusd", "Balance")
    in_flight = amount("held_nusd", "In flight")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organization]:
        """Bring the wallet along."""
        wallets = Purse.objects.filter(organization_id=OuterRef("pk"), kind=Purse.Kind.WALLET)
        rows: QuerySet[Organization] = (
            super()
            .get_queryset(request)
            .annotate(
                posted_nusd=Subquery(wallets.values("posted_nusd")), held_nusd=Subquery(wallets.values("held_nusd"))
            )
        )
        return rows

    @admin.display(description="Allowed origins")
    def origins(self, organization: Organization) -> str:
        """Show which web pages may use its keys."""
        return ", ".join(organization.allowed_origins) or "none"

    @labelled("Status", {"Active": "success", "Suspended": "danger"}, order="status")
    def status_label(self, organization: Organization) -> str:
        """Show whether its keys work."""
        return organization.get_status_display()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "add")

    def has_edit_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Say whether the actions are offered."""
        return self.may(request, "change")

    def has_suspend_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Say whether suspending is offered: to those who may, of an organisation that is active."""
        return self.may(request, "change") and self._is(object_id, Organization.Status.ACTIVE)

    def has_resume_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Say whether resuming is offered."""
        return self.may(request, "change") and self._is(object_id, Organization.Status.SUSPENDED)

    def has_adjust_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Say whether the operator may move money."""
        return request.user.has_perm("billing.add_ledgertransaction")

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> Any:
        """Found an organisation with a wallet."""
        self.check_may(request, "add")
        return self.ask(
            request,
            FoundForm(answers(request)),
            lambda asked: self._found(request, asked),
            title="Add an organization",
            explanation="It starts with a project and an empty wallet.",
            button="Add organization",
            done="The organization was added.",
        )

    @detail_action("Adjust credit", icon="payments", permission="adjust")
    def adjust_credit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Put credit in, or take it away."""
        organization: Organization = self.found(request, object_id)
        return self.ask(
            request,
            AdjustForm(answers(request)),
            lambda asked: self._adjust(request, organization, asked),
            title=f"Adjust the credit of {organization}",
            explanation=_standing(organization),
            button="Adjust credit",
            done="The credit was adjusted.",
            target=organization,
        )

    @detail_action("Limits", icon="speed", permission="edit")
    def set_limits(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Go to the limits of the organisation as a whole, those it has or new ones."""
        organization: Organization = self.found(request, object_id)
        scope = ScopeLimits.Scope.ORGANIZATION
        row = ScopeLimits.objects.for_organization(organization).filter(scope=scope).first()
        if row is not None:
            return redirect("admin:keys_scopelimits_change", row.pk)
        return redirect(f"{reverse('admin:keys_scopelimits_add')}?target={organization.public_id}")

    @detail_action("Settings", icon="settings", permission="edit")
    def change_settings(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Change name, time zone and origins."""
        organization: Organization = self.found(request, object_id)
        initial = {
            "name": organization.name,
            "time_zone": organization.time_zone,
            "allowed_origins": "\n".join(organization.allowed_origins),
        }
        return self.ask(
            request,
            SettingsForm(answers(request), initial=initial),
            lambda asked: self._change(request, organization, asked),
            title=f"Settings of {organization}",
            explanation="The short name stays: links depend on it.",
            button="Save",
            done="The settings were changed.",
            target=organization,
        )

    @detail_action("Suspend", icon="pause_circle", permission="suspend")
    def suspend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Stop all its keys."""
        organization: Organization = self.found(request, object_id)
        return self.ask(
            request,
            ReasonForm(answers(request)),
            lambda asked: organizations.suspend(
                organization=organization, reason=asked["reason"], actor=actor(request)
            ),
            title=f"Suspend {organization}?",
            explanation="All its keys are refused from the next request on, until it is resumed.",
            button="Suspend",
            done="The organization is suspended.",
            target=organization,
        )

    @detail_action("Resume", icon="play_circle", permission="resume")
    def resume(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let its keys work again."""
        organization: Organization = self.found(request, object_id)
        return self.ask(
            request,
            ReasonForm(answers(request)),
            lambda asked: organizations.resume(organization=organization, reason=asked["reason"], actor=actor(request)),
            title=f"Resume {organization}?",
            explanation="Its keys work again from the next request on.",
            button="Resume",
            done="The organization is active.",
            target=organization,
        )

    def _is(self, object_id: Any, status: Organization.Status) -> bool:
        return Organization.objects.filter(pk=object_id, status=status).exists()

    def _found(self, request: HttpRequest, asked: dict[str, Any]) -> Organization:
        organization = founding.found_organization(**asked, actor=actor(request))
        wallet.open_wallet(organization.pk)
        return organization

    def _adjust(self, request: HttpRequest, organization: Organization, asked: dict[str, Any]) -> None:
        wallet.open_wallet(organization.pk)
        wallet.adjust(
            organization_id=organization.pk,
            amount_nusd=money.nano(asked["amount"]),
            reason=asked["reason"],
            actor=actor(request),
        )

    def _change(self, request: HttpRequest, organization: Organization, asked: dict[str, Any]) -> None:
        if asked["name"] != organization.name:
            organizations.rename(organization=organization, name=asked["name"], actor=actor(request))
        if asked["time_zone"] != organization.time_zone:
            organizations.move_to_time_zone(
                organization=organization, time_zone=asked["time_zone"], actor=actor(request)
            )
        if asked["allowed_origins"] != organization.allowed_origins:
            organizations.allow_origins(
                organization=organization, origins=asked["allowed_origins"], actor=actor(request)
            )


def _standing(organization: Organization) -> str:
    balance = wallet.balance(organization.pk)
    held = money.display(balance.held_nusd)
    return f"It has {money.display(balance.posted_nusd)}, of which {held} is set aside for requests in flight."
