"""The operators' page of limits, with what is spent. It is up here because it brings keys and money together."""

from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from foundation import money
from inference.limits import spending
from inference.limits.spending import Spending
from keys import scopes, subjects
from keys.admin import ScopeLimitsAdmin
from keys.models import ScopeLimits

admin.site.unregister(ScopeLimits)


@admin.register(ScopeLimits)
class SpentLimitsAdmin(ScopeLimitsAdmin):
    """What one organisation, project, key or subject may, and how much of its budgets is spent."""

    fields = (*ScopeLimitsAdmin.fields, "spent")

    @admin.display(description="Spent")
    def spent(self, row: ScopeLimits) -> str | SafeString:
        """Draw a bar for each budget; what is set for each is spent by everybody singly."""
        if row.scope_id == subjects.EACH:
            return "each has a budget of its own"
        budgets = spending.of(row.organization, [scopes.of(row)])[0]
        bars = [(max(1, one.limit_nusd), one.window.spent_nusd, one.percent, _words(one)) for one in budgets]
        return format_html_join("", '<p><progress max="{}" value="{}">{} %</progress> {}</p>', bars) or "–"


def _words(one: Spending) -> str:
    window = one.window
    words = f"{money.display(window.spent_nusd)} of {money.display(one.limit_nusd)} ({one.percent} %)"
    if window.held_nusd:
        words += f", {money.display(window.held_nusd)} reserved"
    if one.carried_nusd:
        words += f", {money.display(one.carried_nusd)} carried over"
    if window.shadow_refused:
        words += f", would have refused {window.shadow_refused}"
    return words if window.ends_at is None else f"{words}, until {window.ends_at:%Y-%m-%d %H:%M} UTC"
