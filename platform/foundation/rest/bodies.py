"""What a request may say: a serializer that knows all its fields and refuses every other by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from foundation.errors import InvalidRequest


class Fields(serializers.Serializer[Any]):
    """The fields of a body or of a query string."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse what is not a field, or is one that only answers have, before looking at the values."""
        if isinstance(data, Mapping):
            writable = {name for name, field in self.fields.items() if not field.read_only}
            unknown = [str(name) for name in data if name not in writable]
            if unknown:
                known = ", ".join(sorted(writable)) or "none"
                message = f"There is no such field here. The fields are: {known}."
                raise serializers.ValidationError({unknown[0]: [message]})
        return super().to_internal_value(data)


def body(fields: type[Fields], request: Request) -> dict[str, Any]:
    """Return the request's body, checked."""
    return _checked(fields(data=request.data))


def query(fields: type[Fields], request: Request) -> dict[str, Any]:
    """Return the request's query string, checked. A parameter that is there twice would be read in two ways."""
    for name, values in request.query_params.lists():
        if len(values) > 1:
            raise InvalidRequest(f"{name}: The parameter is there more than once.", param=name)
    return _checked(fields(data=request.query_params.dict()))


def _checked(serializer: Fields) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    found: dict[str, Any] = serializer.validated_data
    return found
