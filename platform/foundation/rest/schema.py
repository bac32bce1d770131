"""How resources describe themselves in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiParameter

ERROR = ResolvedComponent(  # type: ignore[no-untyped-call]  # drf-spectacular's lack of types
    name="Error",
    type=ResolvedComponent.SCHEMA,
    object="Error",
    schema={
        "type": "object",
        "description": "What went wrong: `code` is stable and for programs, `message` is for people.",
        "properties": {
            "error": {
                "type": "object",
                "properties": {
                    "message": {"type": "string"},
                    "type": {"type": "string"},
                    "param": {"type": ["string", "null"], "description": "The field at fault."},
                    "code": {"type": "string"},
                },
                "required": ["message", "type", "param", "code"],
            }
        },
        "required": ["error"],
    },
)
"""What every operation answers when something is wrong."""

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Any text of up to 255 characters. Repeating a request with the same key and body within a day changes "
    "nothing and is given the first answer again.",
)


class Schema(AutoSchema):
    """Adds to each operation what all of them share; a view's `shared_parameters` are added, too."""

    def get_override_parameters(self) -> list[Any]:
        """Return the headers that this operation reads."""
        once = [IDEMPOTENCY_KEY] if self.method == "POST" else []
        return [*once, *getattr(self.view, "shared_parameters", ())]

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """Describe the operation, errors included."""
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is not None:
            self.registry.register_on_missing(ERROR)
            content = {"application/json": {"schema": ERROR.ref}}
            operation["responses"]["default"] = {"description": "An error.", "content": content}
        return operation


class PublicIdSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]  # drf-spectacular's lack of types
    """Describes PublicId fields; found by drf-spectacular because it exists."""

    target_class = "foundation.rest.fields.PublicId"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        """Return the pattern of such ids."""
        return {"type": "string", "pattern": f"^{self.target.prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$"}
