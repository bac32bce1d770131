"""Signing up: whether strangers may, and what comes to be when somebody does."""

from __future__ import annotations

import secrets
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django import forms
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils.text import slugify

from billing import wallet
from tenants import founding, naming
from tenants.audit import Actor
from tenants.errors import InvalidName, SlugTaken
from tenants.models import Organization, User


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """What allauth asks us."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Say whether anybody may make an account; where not, operators make them."""
        return bool(settings.SIGNUP_OPEN)


class SignupForm(forms.Form):
    """What we ask beyond what allauth does: allauth calls `signup` with the new user."""

    name = forms.CharField(max_length=200, label="Your name", widget=forms.TextInput(attrs={"autocomplete": "name"}))
    organization = forms.CharField(
        max_length=200, label="Organization", widget=forms.TextInput(attrs={"autocomplete": "organization"})
    )

    field_order = ("name", "organization", "email", "password1", "password2")

    def clean_organization(self) -> str:
        """Refuse what cannot be an organisation's name before there is a user."""
        try:
            return naming.name(str(self.cleaned_data["organization"]))
        except InvalidName as error:
            raise forms.ValidationError(error.message) from error

    def signup(self, request: HttpRequest, user: User) -> None:
        """Complete the new user, and found the organisation they own."""
        user.name = self.cleaned_data["name"]
        user.save(update_fields=["name"])
        found_own_organization(user, self.cleaned_data["organization"])


@transaction.atomic
def found_own_organization(user: User, name: str) -> Organization:
    """Found an organisation with an empty wallet for somebody new, under a short name that is still free."""
    facts: dict[str, Any] = {"name": name, "actor": Actor.of_user(user), "owner": user}
    slug = slugify(name)[:50].strip("-") or "organization"
    try:
        organization = founding.found_organization(slug=slug, **facts)
    except SlugTaken:
        organization = founding.found_organization(slug=f"{slug}-{secrets.token_hex(4)}", **facts)
    wallet.open_wallet(organization.pk)
    return organization
