"""The OpenAPI document rearranged for a page: operations by subject, their fields as rows of a table. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

METHODS = ("get", "post", "put", "patch", "delete")

type Paragraph = list[tuple[str, bool]]
"""Pieces of text, and whether each is code."""


@dataclass(frozen=True, slots=True)
class Row:
    """One parameter or field."""

    name: str
    type: str
    required: bool
    description: list[Paragraph]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address."""

    id: str
    method: str
    path: str
    summary: str
    description: list[Paragraph]
    parameters: list[Row]
    body: list[Row]
    status: str
    answer: list[Row]


@dataclass(frozen=True, slots=True)
class Contents:
    """The page: operations by subject."""

    title: str
    description: str
    subjects: dict[str, list[Operation]]


def contents(document: Mapping[str, Any]) -> Contents:
    """Rearrange an OpenAPI document."""
    subjects: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                operation = _operation(document, method, path, methods[method])
                subjects.setdefault(methods[method]["tags"][0], []).append(operation)
    return Contents(document["info"]["title"], document["info"]["description"], subjects)


def paragraphs(text: str) -> list[Paragraph]:
    """Split a description at its blank lines, and at the backticks around code."""
    return [
        [(piece, index % 2 == 1) for index, piece in enumerate(" ".join(part.split()).split("`")) if piece]
        for part in text.split("\n\n")
        if part.strip()
    ]


def _operation(document: Mapping[str, Any], method: str, path: str, facts: Mapping[str, Any]) -> Operation:
    status = next(status for status in facts["responses"] if status.startswith("2"))
    return Operation(
        id=facts["operationId"],
        method=method.upper(),
        path=path,
        summary=facts.get("summary", ""),
        description=paragraphs(facts.get("description", "")),
        parameters=[_parameter(document, parameter) for parameter in facts.get("parameters", ())],
        body=list(_rows(document, _schema(facts.get("requestBody", {})))),
        status=status,
        answer=list(_rows(document, _schema(facts["responses"][status]))),
    )


def _schema(part: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = part.get("content", {}).get("application/json", {}).get("schema", {})
    return found


def _parameter(document: Mapping[str, Any], facts: Mapping[str, Any]) -> Row:
    place = facts["in"]
    kind = _type(document, facts["schema"])
    required = facts.get("required", False)
    return Row(facts["name"], f"{kind}, in the {place}", required, paragraphs(facts.get("description", "")))


def _rows(document: Mapping[str, Any], schema: Mapping[str, Any], prefix: str = "") -> Iterator[Row]:
    """Yield a row for each field, and after it those of what is inside it."""
    found = _resolved(document, schema)
    required = found.get("required", ())
    for name, field in found.get("properties", {}).items():
        description = field.get("description", "")
        yield Row(prefix + name, _type(document, field), name in required, paragraphs(description))
        inner = _resolved(document, field)
        if "items" in inner:
            yield from _rows(document, inner["items"], f"{prefix}{name}[].")
        else:
            yield from _rows(document, inner, f"{prefix}{name}.")


def _type(document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    found = _resolved(document, schema)
    if "enum" in found:
        return " | ".join("null" if value is None else str(value) for value in found["enum"])
    kinds = found.get("type", "object")
    text = " or ".join(kinds) if isinstance(kinds, list) else kinds
    if "items" in found:
        text = text.replace("array", f"list of {_type(document, found['items'])}")
    if found.get("format") in {"date-time", "decimal", "email"}:
        text = text.replace("string", found["format"])
    if prefix := re.match(r"\^([a-z]+_)", found.get("pattern", "")):
        text = text.replace("string", f"{prefix[1]}…")
    return f"{text} or null" if _may_be_null(schema) else text


def _may_be_null(schema: Mapping[str, Any]) -> bool:
    return any(part.get("type") == "null" for part in schema.get("oneOf", ()))


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow references; of several schemas take the first that says something."""
    if "$ref" in schema:
        return _resolved(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    for combined in ("allOf", "oneOf", "anyOf"):
        for part in schema.get(combined, ()):
            if part.get("type") != "null":
                return _resolved(document, part)
    return schema
