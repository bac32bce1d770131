"""A value that satisfies a JSON schema: what a model forced to a schema says, and what it calls tools with.

Reads the keywords of OpenAI's and Anthropic's structured output: types, enumerations, references, unions, arrays with
bounds, numbers with bounds, strings with lengths and the common formats. `pattern` is not read.
"""

from typing import Any

from inference.simulator.refusals import Refused

_DEEPEST = 6
"""Below this only what is required is filled, so that a schema may refer to itself."""
_LONGEST = 1024
"""Of arrays that a schema may ask for."""
_FORMATS = {
    "date-time": "2026-01-31T12:00:00Z",
    "date": "2026-01-31",
    "time": "12:00:00Z",
    "duration": "P1D",
    "email": "keeper@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/toll",
    "uuid": "6f1c1f0e-0c3b-4d7e-9a52-0f4f3b8f2a11",
}
_WORD = "the road runs along the river until a wooden gate "


def sample(schema: object) -> Any:
    """One value; for a schema that is none, null. A reference that leads nowhere is read as a schema of anything.

    Raises Refused for keywords with values that they cannot have.
    """
    try:
        return _sample(schema)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, RecursionError) as cause:
        raise Refused(400, "The schema cannot be compiled", param="response_format") from cause


def _sample(schema: object, root: object | None = None, depth: int = 0) -> Any:
    root = schema if root is None else root
    if not isinstance(schema, dict) or depth > 4 * _DEEPEST:
        return None
    if "$ref" in schema:
        return _sample(_referred(schema["$ref"], root), root, depth + 1)
    for keyword in ("const", "enum", "default"):
        if keyword in schema:
            return schema[keyword][0] if keyword == "enum" else schema[keyword]
    for keyword in ("anyOf", "oneOf"):
        if schema.get(keyword):
            return _sample(_simplest(schema[keyword]) if depth >= _DEEPEST else schema[keyword][0], root, depth + 1)
    if schema.get("allOf"):
        return _sample(_merged(schema, root), root, depth + 1)
    return _of_type(schema, root, depth)


def _of_type(schema: dict[str, Any], root: object, depth: int) -> Any:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = kind[0]
    if kind == "object" or (kind is None and "properties" in schema):
        return _object(schema, root, depth)
    if kind == "array" or (kind is None and "items" in schema):
        return _array(schema, root, depth)
    if kind in ("integer", "number"):
        return _number(schema, whole=kind == "integer")
    return {"string": _string(schema), "boolean": True}.get(kind or "")


def _object(schema: dict[str, Any], root: object, depth: int) -> dict[str, Any]:
    properties: dict[str, Any] = schema.get("properties") or {}
    required = schema.get("required") or []
    names = [name for name in properties if depth < _DEEPEST or name in required]
    return {name: _sample(properties[name], root, depth + 1) for name in names}


def _array(schema: dict[str, Any], root: object, depth: int) -> list[Any]:
    least = schema.get("minItems", 0)
    if least > _LONGEST:
        raise ValueError(least)
    count = max(least, 1 if depth < _DEEPEST and schema.get("maxItems", 1) else 0)
    first = schema.get("prefixItems") or []
    return [_sample(first[at] if at < len(first) else schema.get("items"), root, depth + 1) for at in range(count)]


def _number(schema: dict[str, Any], *, whole: bool) -> float:
    step = schema.get("multipleOf", 1 if whole else 0.5)
    lowest = schema.get("minimum", schema.get("exclusiveMinimum"))
    highest = schema.get("maximum", schema.get("exclusiveMaximum"))
    if lowest is None:
        lowest = 0 if highest is None or highest > 0 else highest - 2 * step
    value = -(-lowest // step) * step
    if value <= schema.get("exclusiveMinimum", value - 1):
        value += step
    if highest is not None and value > highest:
        value = lowest
    return int(value) if whole else value


def _string(schema: dict[str, Any]) -> str:
    text = _FORMATS.get(str(schema.get("format")), "toll gate")
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength")
    if len(text) < shortest:
        text = (_WORD * (shortest // len(_WORD) + 1))[:shortest]
    return text if longest is None else text[:longest]


def _simplest(options: list[Any]) -> Any:
    plain = [one for one in options if isinstance(one, dict) and not {"$ref", "properties", "items"} & one.keys()]
    return plain[0] if plain else options[0]


def _merged(schema: dict[str, Any], root: object) -> dict[str, Any]:
    merged: dict[str, Any] = {key: value for key, value in schema.items() if key != "allOf"}
    for part in schema["allOf"]:
        one = _referred(part["$ref"], root) if isinstance(part, dict) and "$ref" in part else part
        if isinstance(one, dict):
            properties = {**(merged.get("properties") or {}), **(one.get("properties") or {})}
            required = [*(merged.get("required") or []), *(one.get("required") or [])]
            merged |= one
            merged |= {"properties": properties, "required": required} if properties else {}
    return merged


def _referred(reference: object, root: object) -> object:
    found = root
    for step in str(reference).removeprefix("#").strip("/").split("/"):
        if step and isinstance(found, dict):
            found = found.get(step.replace("~1", "/").replace("~0", "~"))
    return found
