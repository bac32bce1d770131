"""The document rearranged for people."""

from __future__ import annotations

from config import reading
from config.api import document
from config.reading import Row


def operation(name: str) -> reading.Operation:
    """Return one operation of the real document."""
    subjects = reading.contents(document()).subjects
    return next(found for operations in subjects.values() for found in operations if found.id == name)


def test_operations_stand_under_their_subjects():
    contents = reading.contents(document())
    assert {"keys", "organizations", "projects", "usage"} <= set(contents.subjects)
    assert {found.method for found in contents.subjects["keys"]} == {"GET", "POST", "PATCH"}
    assert contents.title == "Turnpike management API"


def test_fields_inside_others_are_rows_of_their_own():
    rows = {row.name: row for row in operation("keys_create").body}
    assert rows["name"] == Row("name", "string", required=True, description=[])
    assert rows["project"].type == "proj_…"
    assert rows["limits.rpm"].type == "integer or null"
    assert rows["limits.allowed_models"].type == "list of string or null"
    assert rows["mode"].type == "live | test"


def test_lists_show_what_their_items_hold():
    rows = {row.name: row.type for row in operation("models_list").answer}
    assert rows["data"] == "list of object"
    assert rows["data[].price.rates[].per_million_usd"] == "decimal"
    assert rows["next_cursor"] == "string or null"


def test_parameters_say_where_they_go():
    rows = {row.name: row for row in operation("keys_rotate").parameters}
    assert rows["key"].required
    assert rows["key"].type.endswith("in the path")
    assert rows["Idempotency-Key"].type.endswith("in the header")


def test_a_description_is_paragraphs_of_text_and_code():
    assert reading.paragraphs("Takes the\nright `keys.read`.\n\nNewest first.\n") == [
        [("Takes the right ", False), ("keys.read", True), (".", False)],
        [("Newest first.", False)],
    ]
    assert reading.paragraphs("") == []


def test_the_status_of_success_is_named():
    assert (operation("keys_create").status, operation("keys_retrieve").status) == ("201", "200")
