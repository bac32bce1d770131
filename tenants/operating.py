"""What the operators' pages of all apps have in common: reading, asking before acting, and showing ids and money.

Most objects are read-only in the admin, because what may happen to them is the domain's business: an action asks for
what the domain function needs, on a page of its own, and calls it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import unfold.decorators
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from unfold.paginator import InfinitePaginator

from foundation import ids, money
from foundation.errors import PlatformError
from tenants.audit import Actor
from tenants.models import User

if TYPE_CHECKING:
    # unfold has no types, and is Django's admin in other clothes.
    from django.contrib.admin import ModelAdmin, TabularInline

    _ModelAdmin = ModelAdmin[Any]
    _TabularInline = TabularInline[Any, Any]
else:
    from unfold.admin import ModelAdmin as _ModelAdmin
    from unfold.admin import TabularInline as _TabularInline

PUBLIC_ID = re.compile(r"([a-z]+)_[0-9a-z]{26}")


def actor(request: HttpRequest) -> Actor:
    """Return the operator, as the audit trail names them."""
    return Actor.of_user(cast(User, request.user))


def detail_action[F: Callable[..., Any]](description: str, *, icon: str, permission: str) -> Callable[[F], F]:
    """Make a method an action at the top of an object's page; `permission` as in "add": has_add_permission."""
    decorate = unfold.decorators.action(description=description, icon=icon, permissions=[permission])
    return cast(Callable[[F], F], decorate)


def labelled[F: Callable[..., Any]](description: str, tones: dict[str, str], *, order: str = "") -> Callable[[F], F]:
    """Make a method a column of coloured labels; `tones` are success, warning, danger, info by value."""
    decorate = unfold.decorators.display(description=description, label=tones, ordering=order or None)
    return cast(Callable[[F], F], decorate)


def amount(field: str, description: str) -> Callable[[Any, Any], str]:
    """Return a column that shows nano-dollars as dollars."""

    @admin.display(description=description, ordering=field)
    def column(self: object, row: Model) -> str:
        value = getattr(row, field)
        return "–" if value is None else money.display(value)

    return column


def public(prefix: str, field: str, description: str) -> Callable[[Any, Any], str]:
    """Return a column that shows a UUID as the id that the outside world sees."""

    @admin.display(description=description, ordering=field)
    def column(self: object, row: Model) -> str:
        value: UUID | None = getattr(row, field)
        return "–" if value is None else ids.public(prefix, value)

    return column


class OperatorAdmin(_ModelAdmin):
    """Every page of the operators' admin: public ids can be searched for, actions ask before they act."""

    list_filter_submit = True
    warn_unsaved_form = True
    show_full_result_count = False
    # A typed search term that is a public id finds the row by this column.
    public_id_field = "pk"

    def may(self, request: HttpRequest, verb: str) -> bool:
        """Say whether Django's permissions let the operator add, change or delete such objects."""
        return bool(request.user.has_perm(f"{self.opts.app_label}.{verb}_{self.opts.model_name}"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find by public id, or else by the search fields."""
        found = PUBLIC_ID.fullmatch(search_term.strip())
        if found is None:
            return super().get_search_results(request, queryset, search_term)
        try:
            return queryset.filter(**{self.public_id_field: ids.parse(found[1], search_term.strip())}), False
        except ValueError:
            return queryset.none(), False

    def get_action_choices(
        self, request: HttpRequest, default_choices: Any = None, action_location: Any = None
    ) -> list[tuple[str, str]]:
        """Do as Django does: the theme's own version is from the time before `action_location`."""
        django: Any = admin.ModelAdmin
        choices: list[tuple[str, str]] = django.get_action_choices(
            self, request, [("", "Select action")], action_location
        )
        return choices

    def ask(
        self,
        request: HttpRequest,
        form: forms.Form,
        do: Callable[[dict[str, Any]], Model | None],
        *,
        title: str,
        explanation: str,
        button: str,
        done: str,
        target: Model | None = None,
        target_stays: bool = True,
    ) -> HttpResponse:
        """Show a form on a page of its own; once it is filled in, call `do`, and say `done` on the object's page."""
        if request.method == "POST" and form.is_valid():
            try:
                with transaction.atomic():
                    result = do(form.cleaned_data)
            except PlatformError as error:
                form.add_error(error.param if error.param in form.fields else None, error.message)
            else:
                self.message_user(request, done, messages.SUCCESS)
                return redirect(self._page_of(result or target if target_stays else None))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "explanation": explanation,
            "button": button,
            "form": form,
            "back": self._page_of(target),
        }
        return render(request, "admin/ask.html", context, status=422 if form.errors else 200)

    def found(self, request: HttpRequest, object_id: str) -> Any:
        """Return the object of a page. Raises Http404."""
        try:
            return self.get_queryset(request).get(pk=UUID(object_id))
        except (ValueError, self.model.DoesNotExist) as error:
            raise Http404 from error

    def check_may(self, request: HttpRequest, verb: str) -> None:
        """Raise PermissionDenied unless the operator may do this with such objects."""
        if not self.may(request, verb):
            raise PermissionDenied

    def _page_of(self, target: Model | None) -> str:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        return reverse(f"{name}_change", args=[target.pk]) if target is not None else reverse(f"{name}_changelist")


class ReadOnlyAdmin(OperatorAdmin):
    """Objects that operators look at; what they may do with them is an action."""

    list_disable_select_all = True

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class EndlessAdmin(ReadOnlyAdmin):
    """Rows that are too many to count: pages go on for as long as there are rows."""

    paginator = InfinitePaginator
    list_per_page = 50


class ReadOnlyInline(_TabularInline):
    """Parts of an object, to look at."""

    extra = 0
    can_delete = False
    show_change_link = True

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Take all fields, so that those that are not editable can be shown, too."""
        return self.fields or ()

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class EditableInline(_TabularInline):
    """Parts of an object, to change with it."""

    extra = 0
    tab = True
