"""The members of a request's body, read and refused as vLLM does it."""

from typing import Any

import orjson

from inference.simulator.options import Options
from inference.simulator.protocol import Request
from inference.simulator.refusals import Refused, unknown_model

MOST_LOGPROBS = 20


def invalid(name: str, message: str, kind: str = "missing") -> Refused:
    """What vLLM's validation of bodies says of a member; these are no BadRequestErrors, and name `body.` before it."""
    place = f"body.{name}" if name else "body"
    told = f"1 validation error:\n  {{'type': '{kind}', 'loc': '{place}', 'msg': '{message}'}}"
    return Refused(400, told, kind="Bad Request", param=place)


def document(request: Request, options: Options) -> dict[str, Any]:
    """The body as an object that names the model served, or none. Raises Refused."""
    asked = members(request)
    check_model(asked.get("model"), options)
    return asked


def members(request: Request) -> dict[str, Any]:
    """The body as an object, whatever model it names. Raises Refused."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        message = "1 validation error:\n  Unsupported Media Type: Only 'application/json' is allowed"
        raise Refused(400, message, kind="Bad Request")
    try:
        asked = orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        raise invalid(str(error.pos), f"JSON decode error: {error}", "json_invalid") from None
    if not isinstance(asked, dict):
        raise invalid(
            "", "Input should be a valid dictionary or object to extract fields from", "model_attributes_type"
        )
    return asked


def check_model(model: object, options: Options) -> None:
    """A request may leave the model out. Raises Refused."""
    if model is not None and model != options.model:
        raise unknown_model(model)


def boolean(asked: dict[str, Any], name: str) -> bool:
    """A flag; false where it is missing. Raises Refused."""
    value = asked.get(name)
    if value is not None and not isinstance(value, bool):
        raise invalid(name, "Input should be a valid boolean", "bool_parsing")
    return bool(value)


def whole(asked: dict[str, Any], name: str, *, at_least: int = 1) -> int | None:
    """A whole number; None where it is missing. Raises Refused."""
    value = asked.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise invalid(name, "Input should be a valid integer", "int_parsing")
    if value < at_least:
        message = f"{name} must be at least {at_least}, got {value}."
        raise Refused(400, message, param=None if name == "n" else name)
    return value


def text(asked: dict[str, Any], name: str) -> str:
    """A text that must be there. Raises Refused."""
    value = asked.get(name)
    if not isinstance(value, str):
        raise invalid(name, "Input should be a valid string", "string_type")
    return value


def stops(asked: dict[str, Any], name: str) -> tuple[str, ...]:
    """The texts that end an answer, one or several; none that is empty."""
    given = asked.get(name)
    listed = given if isinstance(given, list) else [given]
    return tuple(one for one in listed if isinstance(one, str) and one)


def check_sampling(asked: dict[str, Any]) -> None:
    """Refuse what vLLM's SamplingParams refuse. Raises Refused."""
    temperature, top_p = asked.get("temperature"), asked.get("top_p")
    if isinstance(temperature, int | float) and temperature < 0:
        raise Refused(400, f"temperature must be non-negative, got {temperature}.", param="temperature")
    if isinstance(top_p, int | float) and not 0 < top_p <= 1:
        raise Refused(400, f"top_p must be in (0, 1], got {top_p}.", param="top_p")
    most = asked.get("top_logprobs")
    if isinstance(most, int) and most > MOST_LOGPROBS:
        message = f"Requested sample logprobs of {most}, which is greater than max allowed: {MOST_LOGPROBS}"
        raise Refused(400, message, param="logprobs")
    if most and not asked.get("logprobs"):
        raise Refused(400, "when using `top_logprobs`, `logprobs` must be set to true.", param="top_logprobs")


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
    include = wanted.get("include_usage") is True
    return include, include and wanted.get("continuous_usage_stats") is True
