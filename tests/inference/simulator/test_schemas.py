from importlib import import_module

import pytest

from inference.simulator import schemas
from inference.simulator.refusals import Refused

# Imported by name, because it comes without types.
jsonschema = import_module("jsonschema")

TREE = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
                "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
            },
            "required": ["name", "children"],
        }
    },
}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "minLength": 60, "maxLength": 61},
        {"type": "string", "maxLength": 2},
        {"type": "string", "format": "uuid"},
        {"type": "integer", "minimum": 3, "maximum": 3},
        {"type": "integer", "exclusiveMinimum": 3, "multipleOf": 5},
        {"type": "integer", "maximum": -4},
        {"type": "number", "exclusiveMaximum": 0},
        {"type": ["string", "null"]},
        {"enum": ["a", "b"]},
        {"const": 7},
        {"type": "array", "items": {"type": "boolean"}, "minItems": 3},
        {"type": "array", "items": {"type": "boolean"}, "maxItems": 0},
        {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "minItems": 2},
        {"type": "object", "properties": {"a": {"type": "null"}}, "required": ["a"], "additionalProperties": False},
        {"allOf": [{"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}]},
        {"oneOf": [{"type": "string"}, {"type": "integer"}]},
        TREE,
    ],
)
def test_a_sample_satisfies_its_schema(schema):
    jsonschema.validate(schemas.sample(schema), schema, cls=jsonschema.Draft202012Validator)


def test_what_is_no_schema_gives_nothing():
    assert schemas.sample(None) is None
    assert schemas.sample({"$ref": "#/nowhere"}) is None


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": "a"},
        {"type": []},
        {"enum": []},
        {"anyOf": 1},
        {"type": "array", "minItems": 2**62},
        {"type": "array", "minItems": "1"},
        {"type": "string", "minLength": "1"},
    ],
)
def test_a_schema_that_cannot_be_compiled_is_refused(schema):
    with pytest.raises(Refused):
        schemas.sample(schema)
