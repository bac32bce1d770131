"""What operators are asked about members and projects."""

from __future__ import annotations

from django import forms

from tenants.asking import AskForm
from tenants.models import Organization, Role, User


class MemberForm(AskForm):
    """Who joins which organisation as what."""

    organization = forms.ModelChoiceField(Organization.objects.order_by("name"))
    email = forms.EmailField(label="E-mail address", help_text="Of somebody who has an account.")
    role = forms.ChoiceField(choices=Role.choices, initial=Role.DEVELOPER)

    def clean_email(self) -> User:
        """Find the person."""
        try:
            return User.objects.get_by_natural_key(self.cleaned_data["email"])
        except User.DoesNotExist as error:
            raise forms.ValidationError("There is no account with this address. Add the user first.") from error


class RoleForm(AskForm):
    """Another role."""

    role = forms.ChoiceField(choices=Role.choices)


class ProjectForm(AskForm):
    """A new project."""

    organization = forms.ModelChoiceField(Organization.objects.order_by("name"))
    name = forms.CharField(max_length=200)
    slug = forms.CharField(max_length=63, label="Short name", help_text="Lower-case words joined by hyphens; stays.")


class NameForm(AskForm):
    """Another name."""

    name = forms.CharField(max_length=200)
