"""The operators' pages about people, projects, members and the audit trail. Organisations: config/admin.py."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar, cast

from allauth.account.models import EmailAddress
from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangosGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangosUserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from tenants import audit, members, projects
from tenants.asking import AskForm, answers
from tenants.forms import MemberForm, NameForm, ProjectForm, RoleForm
from tenants.models import AuditEvent, Membership, Project, Role, User
from tenants.operating import EndlessAdmin, OperatorAdmin, ReadOnlyAdmin, actor, detail_action, labelled

if TYPE_CHECKING:
    # Only the types of Django's admin take a model in brackets.
    _DjangosUserAdmin = DjangosUserAdmin[User]
else:
    _DjangosUserAdmin = DjangosUserAdmin

admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(OperatorAdmin, _DjangosUserAdmin):
    """People. Nobody is deleted, because the trail names them: take `active` away instead."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("email", "name", "is_active", "is_staff", "is_superuser", "last_login", "created_at")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("email", "name")
    ordering = ("email",)
    readonly_fields = ("public_id", "last_login", "created_at")
    fieldsets = (
        (None, {"fields": ("public_id", "email", "name", "password")}),
        (
            "What they may do here",
            {
                "fields": ("is_active", "is_staff", "is_superuser", "groups"),
                "description": "Staff see these pages, as far as their groups allow; a superuser may do everything.",
            },
        ),
        ("Times", {"fields": ("last_login", "created_at")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "name", "password1", "password2")}),)
    filter_horizontal = ("groups",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let nobody but superusers touch a superuser: to set a password is to become that person."""
        is_above = obj is not None and obj.is_superuser and not _is_superuser(request)
        return not is_above and bool(super().has_change_permission(request, obj))

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Let nobody but superusers hand out rights: there is no narrower rule for who may give which."""
        rights = () if _is_superuser(request) else ("is_staff", "is_superuser", "groups")
        return (*self.readonly_fields, *rights)

    def save_model(self, request: HttpRequest, obj: User, form: forms.ModelForm[User], change: bool) -> None:
        obj.email = obj.email.strip().lower()
        super().save_model(request, obj, form, change)
        # An address that was taken away must not open the account any more.
        EmailAddress.objects.filter(user=obj).exclude(email__iexact=obj.email).delete()
        # The names of what changed, never the values: one of them is a password.
        audit.record(actor(request), "user.changed" if change else "user.created", obj, fields=form.changed_data)


def _is_superuser(request: HttpRequest) -> bool:
    return cast(User, request.user).is_superuser


@admin.register(Group)
class GroupAdmin(OperatorAdmin, DjangosGroupAdmin):
    """Rights of staff who are no superusers."""


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    """Who belongs where, as what."""

    list_display = ("user", "organization", "role_label", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "organization")
    search_fields = ("user__email", "user__name", "organization__name", "organization__slug")
    ordering = ("organization__name", "user__email")
    fields = ("public_id", "organization", "user", "role", "created_at")
    actions_detail = ("change_role", "remove")

    @labelled("Role", {"Owner": "success", "Admin": "info"}, order="role")
    def role_label(self, membership: Membership) -> str:
        """Show the role, those that manage in colour."""
        return membership.get_role_display()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "add")

    def has_edit_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Say whether the actions are offered."""
        return self.may(request, "change")

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> Any:
        """Take somebody into an organisation."""
        self.check_may(request, "add")
        return self.ask(
            request,
            MemberForm(answers(request), initial=request.GET.dict()),
            lambda asked: members.add(
                organization=asked["organization"],
                user=asked["email"],
                role=Role(asked["role"]),
                actor=actor(request),
            ),
            title="Add a member",
            explanation="Lets a person who has an account into an organization.",
            button="Add member",
            done="The member was added.",
        )

    @detail_action("Change role", icon="manage_accounts", permission="edit")
    def change_role(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give the member another role."""
        membership: Membership = self.found(request, object_id)
        return self.ask(
            request,
            RoleForm(answers(request), initial={"role": membership.role}),
            lambda asked: members.change_role(membership=membership, role=Role(asked["role"]), actor=actor(request)),
            title=f"Role of {membership.user} in {membership.organization}",
            explanation="",
            button="Change role",
            done="The role was changed.",
            target=membership,
        )

    @detail_action("Remove", icon="person_remove", permission="edit")
    def remove(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let the member go."""
        membership: Membership = self.found(request, object_id)
        return self.ask(
            request,
            AskForm(answers(request)),
            lambda _: members.remove(membership=membership, actor=actor(request)),
            title=f"Remove {membership.user} from {membership.organization}?",
            explanation="They lose sight of the organization at once. Keys they made go on working.",
            button="Remove member",
            done="The member was removed.",
            target=membership,
            target_stays=False,
        )


@admin.register(Project)
class ProjectAdmin(ReadOnlyAdmin):
    """Parts of organisations."""

    list_display = ("name", "organization", "slug", "archived_at", "created_at")
    list_filter = (("archived_at", admin.EmptyFieldListFilter),)
    list_select_related = ("organization",)
    search_fields = ("name", "slug", "organization__name", "organization__slug")
    ordering = ("organization__name", "name")
    fields = ("public_id", "organization", "name", "slug", "archived_at", "created_at")
    actions_detail = ("rename", "archive")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "add")

    def has_edit_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Say whether the actions are offered."""
        return self.may(request, "change")

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> Any:
        """Add a project to an organisation."""
        self.check_may(request, "add")
        return self.ask(
            request,
            ProjectForm(answers(request), initial=request.GET.dict()),
            lambda asked: projects.create(**asked, actor=actor(request)),
            title="Add a project",
            explanation="A part of an organization with its own keys, limits and usage.",
            button="Add project",
            done="The project was added.",
        )

    @detail_action("Rename", icon="edit", permission="edit")
    def rename(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give the project another name."""
        project: Project = self.found(request, object_id)
        return self.ask(
            request,
            NameForm(answers(request), initial={"name": project.name}),
            lambda asked: projects.rename(project=project, name=asked["name"], actor=actor(request)),
            title=f"Rename {project}",
            explanation="The short name stays: links depend on it.",
            button="Rename",
            done="The project was renamed.",
            target=project,
        )

    @detail_action("Archive", icon="archive", permission="edit")
    def archive(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Stop the project's keys for good."""
        project: Project = self.found(request, object_id)
        return self.ask(
            request,
            AskForm(answers(request)),
            lambda _: projects.archive(project=project, actor=actor(request)),
            title=f"Archive {project}?",
            explanation="Its keys stop working for good, and it is hidden. Its usage stays.",
            button="Archive project",
            done="The project was archived.",
            target=project,
        )


@admin.register(AuditEvent)
class AuditEventAdmin(EndlessAdmin):
    """The audit trail, in the order of its chain of hashes."""

    list_display = ("at", "action", "actor_label", "target_kind", "target_id", "organization", "number")
    list_filter = ("actor_kind",)
    list_select_related = ("organization", "link")
    search_fields = ("action", "actor_label", "target_id")
    search_help_text = "Action, who did it, or the public id of what it was done to"
    ordering = ("-id",)
    fields: ClassVar = (
        "public_id",
        "at",
        "action",
        "actor_kind",
        "actor_label",
        "actor_id",
        "organization",
        "target_kind",
        "target_id",
        "facts_shown",
        "number",
        "fingerprint",
    )

    @admin.display(description="Facts")
    def facts_shown(self, event: AuditEvent) -> SafeString:
        """Show what the event says, one fact a line."""
        return format_html("<pre>{}</pre>", json.dumps(event.facts, indent=2, ensure_ascii=False, default=str))

    @admin.display(description="Place in the chain")
    def number(self, event: AuditEvent) -> str:
        """Show the number that the database gave the event as it was committed."""
        return f"#{event.link.seq}" if hasattr(event, "link") else "–"

    @admin.display(description="Hash")
    def fingerprint(self, event: AuditEvent) -> str:
        """Show the hash over this event and all before it."""
        return bytes(event.link.hash).hex() if hasattr(event, "link") else "–"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEvent], search_term: str
    ) -> tuple[QuerySet[AuditEvent], bool]:
        """Find what was done to the object of a public id; an event's own id finds the event."""
        if search_term.strip().startswith(AuditEvent.PREFIX + "_"):
            return super().get_search_results(request, queryset, search_term)
        return super(OperatorAdmin, self).get_search_results(request, queryset, search_term)
