"""What operators are asked before an action is carried out, with the looks of the admin's theme."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.http import HttpRequest, QueryDict
from unfold import widgets


def answers(request: HttpRequest) -> QueryDict | None:
    """Return what was filled in, if the form was sent; also one without any field."""
    return request.POST if request.method == "POST" else None


class AskForm(forms.Form):
    """What an action has to know, with the admin's looks."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Dress the fields."""
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            _dress(field)


class ReasonForm(AskForm):
    """Why something is done, for the audit trail."""

    reason = forms.CharField(max_length=200, help_text="Kept in the audit trail.")


def _dress(field: forms.Field) -> None:
    """Give a field the widget of the admin's theme, with what its own one knew."""
    replacement = next((mine for kind, mine in _WIDGETS if isinstance(field, kind)), None)
    if replacement is None:
        return
    plain = field.widget
    field.widget = replacement()
    field.widget.is_required = field.required
    if isinstance(field, forms.ChoiceField):
        field.widget.choices = plain.choices
    field.widget.attrs.update(field.widget_attrs(field.widget))


_WIDGETS: Iterable[tuple[type[forms.Field], Callable[[], forms.Widget]]] = (
    (forms.ModelMultipleChoiceField, widgets.UnfoldAdminSelectMultipleWidget),
    (forms.MultipleChoiceField, widgets.UnfoldAdminCheckboxSelectMultipleWidget),
    (forms.ChoiceField, widgets.UnfoldAdminSelectWidget),
    (forms.BooleanField, widgets.UnfoldBooleanSwitchWidget),
    (forms.SplitDateTimeField, widgets.UnfoldAdminSplitDateTimeWidget),
    (forms.DecimalField, widgets.UnfoldAdminDecimalFieldWidget),
    (forms.IntegerField, widgets.UnfoldAdminIntegerFieldWidget),
    (forms.EmailField, widgets.UnfoldAdminEmailInputWidget),
    (forms.CharField, widgets.UnfoldAdminTextInputWidget),
)
