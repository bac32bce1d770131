"""How things look in the pages: icons, money, counts, times, and what state a key or a request is in."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

from django import template
from django.conf import settings
from django.forms import BoundField
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from billing import units
from billing.models import UsageRecord
from console import documentation
from foundation import clock, ids, money
from keys.models import ApiKey, ScopeLimits

register = template.Library()

ICONS = Path(__file__).resolve().parents[1] / "assets" / "vendor" / "lucide"
SOON = timedelta(days=7)

TONES = {
    "complete": "success",
    "client_left": "neutral",
    "no_output": "warning",
    "upstream_error": "error",
    "timeout": "error",
    "drained": "warning",
    "expired": "error",
    "out_of_credit": "warning",
}

LIMITS = {
    "rpm": "Requests per minute",
    "tpm": "Tokens per minute",
    "input_tpm": "Input tokens per minute",
    "output_tpm": "Output tokens per minute",
    "concurrency": "Requests at once",
    "max_output_tokens": "Output tokens per request",
    "budget_nusd": "Budget",
    "allowed_models": "Models",
}


@register.simple_tag
def icon(name: str, classes: str = "") -> SafeString:
    """Draw one of the vendored icons; it is decoration, so say in words what it means."""
    return format_html('<svg class="icon {}" aria-hidden="true" {}', classes, _drawing(name))


@cache
def _drawing(name: str) -> SafeString:
    source = (ICONS / f"{name}.svg").read_text(encoding="utf-8")
    # Everything from the size on; the licence comment and the class come before it.
    return mark_safe('viewBox="0 0 24 24" fill="none"' + source.partition('fill="none"')[2])  # noqa: S308 - our file


@register.filter
def usd(nano_dollars: int) -> str:
    """Write an amount of nano-dollars."""
    return money.display(nano_dollars)


@register.filter
def rate(dollars: Decimal | str) -> str:
    """Write a price exactly, with two places at least; templates hand over empty text where there is none."""
    if isinstance(dollars, str):
        return "–"
    whole, _, fraction = f"{dollars:,f}".partition(".")
    return f"${whole}.{fraction.rstrip('0'):0<2}"


@register.filter
def rate_of(nano_dollars_per_million: int, kind: str) -> str:
    """Write a rate in the unit that people think in: `$0.40 per million output tokens`, `$0.006 per minute`."""
    return units.described(kind, money.usd(nano_dollars_per_million))


@register.filter
def quantity(record: UsageRecord) -> str:
    """Write what a request used beside tokens: `12 seconds`."""
    return units.counted(record.unit, record.quantity)


@register.filter
def window(name: str) -> str:
    """Write a budget's window as it reads behind an amount."""
    return {"request": "per request", "5h": "per five hours", "lifetime": "in all"}.get(
        name, f"per {name.replace('_', ' ')}"
    )


@register.filter
def scope_name(scope: str) -> str:
    """Write what limits are of."""
    return str(ScopeLimits.Scope(scope).label)


@register.filter
def limit_name(name: str) -> str:
    """Write the name of a limit as forms do."""
    return LIMITS.get(name, words(name))


@register.filter
def count(number: int | None) -> str:
    """Write a whole number with its thousands apart."""
    return "–" if number is None else f"{number:,}"


@register.filter
def compact(number: int) -> str:
    """Write a whole number in short: 950, 12.3K, 4.56M."""
    for size, letter in ((10**9, "B"), (10**6, "M"), (10**3, "K")):
        if number >= size:
            whole, hundredths = divmod(number * 100 // size, 100)
            fraction = "" if whole >= 100 else f"{hundredths:02d}"[: 1 if whole >= 10 else 2].rstrip("0")
            return f"{whole}{'.' if fraction else ''}{fraction}{letter}"
    return str(number)


@register.filter
def context_length(tokens: int) -> str:
    """Write a context length as model cards do: 8K for 8,192, 128K for 131,072 as for 128,000."""
    if tokens < 1000:
        return str(tokens)
    if tokens % 1000 and tokens % 1024 == 0:
        return f"{tokens // 1024}K" if tokens < 1024**2 else f"{tokens // 1024**2}M"
    return compact(tokens)


@register.filter
def duration(milliseconds: int | None) -> str:
    """Write a duration: 87 ms, 1.24 s."""
    if milliseconds is None:
        return "–"
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    return f"{milliseconds // 1000}.{milliseconds % 1000 // 10:02d} s"


@register.filter
def ago(at: datetime | None) -> str:
    """Write how long ago (or in how long) something was, in one unit."""
    if at is None:
        return "never"
    seconds = int((clock.now() - at).total_seconds())
    size = abs(seconds)
    for length, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if size >= length:
            number = (size + length // 2) // length
            words = f"{number} {unit}{'s' if number > 1 else ''}"
            return f"{words} ago" if seconds > 0 else f"in {words}"
    return "just now" if seconds >= 0 else "in a moment"


@register.filter
def request_id(value: UUID) -> str:
    """Write a request's public id."""
    return ids.public("req", value)


@register.filter
def key_id(value: UUID) -> str:
    """Write a key's public id."""
    return ids.public("key", value)


@register.filter
def local(at: datetime, zone: str) -> datetime:
    """Return the local time of an instant, without its zone: the `date` filter would take an aware one back to UTC."""
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


@register.filter
def instant(text: str, zone: str) -> datetime:
    """Return the local time of an instant that is written as receipts write them."""
    return local(datetime.fromisoformat(text), zone)


@register.filter
def lookup(mapping: dict[object, object], key: object) -> object:
    """Look something up whose name stands in a variable."""
    return mapping.get(key)


@register.filter
def tone(record: UsageRecord) -> str:
    """Say how good a request's outcome is."""
    return TONES.get(record.outcome, "neutral")


@register.filter
def words(name: str) -> str:
    """Write a constant's name as words."""
    return name.replace("_", " ").capitalize()


@register.simple_tag
def key_state(key: ApiKey) -> dict[str, str]:
    """Say in which state a key is: in words, and how good that is."""
    now = clock.now()
    if key.revoked_at is not None:
        return {"name": "Revoked", "tone": "error"}
    if key.expires_at is not None and key.expires_at <= now:
        return {"name": "Replaced" if key.replaced_by_id else "Expired", "tone": "neutral"}
    if key.replaced_by_id is not None:
        return {"name": "Being replaced", "tone": "warning"}
    if key.expires_at is not None and key.expires_at <= now + SOON:
        return {"name": "Expires soon", "tone": "warning"}
    return {"name": "Active", "tone": "success"}


@register.filter
def look(field: BoundField, classes: str) -> SafeString:
    """Draw a form's field with these classes, outlined as wrong if it is."""
    # allauth's placeholders repeat the labels.
    field.field.widget.attrs.pop("placeholder", None)
    # Django itself says aria-invalid and which texts describe the field.
    return field.as_widget(attrs={"class": f"{classes} input-error" if field.errors else classes})


@register.simple_tag
def signup_open() -> bool:
    """Say whether strangers may make an account."""
    return bool(settings.SIGNUP_OPEN)


@register.simple_tag
def docs_url() -> str:
    """Return where the documentation is served, or nothing where this installation has none."""
    return reverse("console:docs") if documentation.exists() else ""
