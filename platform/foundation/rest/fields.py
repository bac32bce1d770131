"""Fields of bodies and answers: strict about types when they read, the same spelling everywhere when they write."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Never
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from foundation import ids
from foundation.errors import NotFound
from foundation.money import LARGEST, usd


class Text(serializers.CharField):
    """Text, and no number that could be read as one. Blanks around it stay: the domain decides about them."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"trim_whitespace": False, **options})

    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return data


class Whole(serializers.IntegerField):
    """A whole number from 0 up; neither `"1"` nor `1.0` nor `true` is one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"min_value": 0, "max_value": LARGEST, **options})

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return data


class Flag(serializers.BooleanField):
    """True or false; neither `1` nor `"yes"` is one."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Instant(serializers.DateTimeField):
    """An instant in RFC 3339 with its offset; written in UTC."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"default_timezone": UTC, **options})

    def to_internal_value(self, value: Any) -> datetime:
        if not isinstance(value, str):
            self.fail("invalid", format="RFC 3339, such as 2026-11-21T09:30:00Z")
        found: datetime = super().to_internal_value(value)
        return found

    def enforce_timezone(self, value: datetime) -> datetime:
        """Refuse a local time that does not say where."""
        if value.tzinfo is None:
            self.fail("invalid", format="RFC 3339 with an offset, such as 2026-11-21T09:30:00Z")
        try:
            return value.astimezone(UTC)
        except OverflowError:
            # The first or the last hours of the calendar, which have no name in UTC.
            self.fail("invalid", format="a time between the years 1 and 9999 in UTC")


class PublicId(serializers.Field[UUID, str, str, Any]):
    """The public id of an object: `key_…`. One that cannot be is as unknown as one that is not there."""

    def __init__(self, prefix: str, **options: Any) -> None:
        super().__init__(**options)
        self.prefix = prefix

    def to_internal_value(self, data: str) -> UUID:
        """Return the id inside. Raises NotFound for all that is no id of this kind."""
        try:
            return ids.parse(self.prefix, data)
        except (ValueError, TypeError, AttributeError):
            self.unknown()

    def to_representation(self, value: UUID) -> str:
        return ids.public(self.prefix, value)

    def unknown(self) -> Never:
        """Say that there is no such object, naming the field."""
        raise NotFound(f"There is no such {self.field_name}.", param=self.field_name)


@extend_schema_field({"type": "string", "format": "decimal", "example": "0.000012500"})
class Usd(serializers.Field[int, Never, str, Any]):
    """Nano-dollars as an exact decimal in US dollars, beside the integer, for people and for languages without one."""

    def __init__(self, source: str, **options: Any) -> None:
        super().__init__(source=source, read_only=True, **options)

    def to_representation(self, value: int) -> str:
        return f"{usd(value):f}"


class NanoUsd(serializers.IntegerField):
    """Nano-dollars as they are stored: whole, and negative where money is owed."""

    def __init__(self, source: str, **options: Any) -> None:
        super().__init__(source=source, read_only=True, **options)
