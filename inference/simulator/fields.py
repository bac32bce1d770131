"""The members of a request's body, read and refused as vLLM does it."""

from typing import Any

import orjson

from inference.simulator.options import Options
from inference.simulator.protocol import Request
from inference.simulator.refusals import Refused, unknown_model


def document(request: Request, options: Options) -> dict[str, Any]:
    """The body as an object that names the model served, or none. Raises Refused."""
    asked = members(request)
    check_model(asked.get("model"), options)
    return asked


def members(request: Request) -> dict[str, Any]:
    """The body as an object, whatever model it names. Raises Refused."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        message = "Unsupported Media Type: Only 'application/json' is allowed"
        raise Refused(415, message, kind="Unsupported Media Type")
    try:
        asked = orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        raise Refused(400, f"JSON decode error: {error}", kind="Bad Request") from None
    if not isinstance(asked, dict):
        raise Refused(400, "Input should be a valid dictionary", kind="Bad Request")
    return asked


def check_model(model: object, options: Options) -> None:
    """A request may leave the model out. Raises Refused."""
    if model is not None and model != options.model:
        raise unknown_model(model)


def boolean(asked: dict[str, Any], name: str) -> bool:
    """A flag; false where it is missing. Raises Refused."""
    value = asked.get(name)
    if value is not None and not isinstance(value, bool):
        raise Refused(400, f"{name}: Input should be a valid boolean", param=name)
    return bool(value)


def whole(asked: dict[str, Any], name: str, *, at_least: int = 1) -> int | None:
    """A whole number; None where it is missing. Raises Refused."""
    value = asked.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused(400, f"{name}: Input should be a valid integer", param=name)
    if value < at_least:
        raise Refused(400, f"{name} must be at least {at_least}, got {value}.", param=name)
    return value


def text(asked: dict[str, Any], name: str) -> str:
    """A text that must be there. Raises Refused."""
    value = asked.get(name)
    if not isinstance(value, str):
        raise Refused(400, f"{name}: Input should be a valid string", param=name)
    return value


def usage_wanted(asked: dict[str, Any], stream: bool) -> tuple[bool, bool]:
    """Whether the client wants usage at the end, and in every chunk; the second only counts with the first.

    Raises Refused.
    """
    wanted = asked.get("stream_options")
    if wanted is None:
        return False, False
    if not isinstance(wanted, dict):
        raise Refused(400, "stream_options: Input should be an object", param="stream_options")
    if not stream:
        raise Refused(400, "Stream options can only be defined when `stream=True`.", param="stream_options")
    # An object without the member means yes: vLLM's StreamOptions defaults include_usage to true.
    include = wanted.get("include_usage", True) is True
    return include, include and wanted.get("continuous_usage_stats") is True
