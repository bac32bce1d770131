"""Long lists, a page at a time. A cursor is the id of the last item that was seen: rows that come or go meanwhile move
nothing, and a page costs the same wherever it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet
from rest_framework import serializers
from rest_framework.response import Response

from foundation import ids
from foundation.errors import InvalidRequest
from foundation.rest.bodies import Fields
from foundation.rest.fields import Text

USUAL = 50
MOST = 100


class PageQuery(Fields):
    """How to ask for a page; lists with filters add theirs."""

    limit = serializers.IntegerField(
        default=USUAL, min_value=1, max_value=MOST, help_text="The most items that one page may have."
    )
    cursor = Text(default="", help_text="`next_cursor` of the page before; absent for the first page.")


@dataclass(frozen=True, slots=True)
class Page[Row]:
    """Some rows, and where the next page begins; an empty cursor is the end."""

    rows: Sequence[Row]
    next_cursor: str | None


def newest_first[Row: Model](rows: QuerySet[Row], asked: dict[str, Any], *, prefix: str) -> Page[Row]:
    """Cut a page out of rows whose primary key is a UUIDv7, which orders them by when they were made."""
    if asked["cursor"]:
        rows = rows.filter(pk__lt=_place(asked["cursor"], prefix))
    return _cut(rows.order_by("-pk"), asked["limit"], lambda row: ids.public(prefix, row.pk))


def by_name[Row: Model](
    rows: QuerySet[Row], asked: dict[str, Any], *, field: str, then: Sequence[str] = ()
) -> Page[Row]:
    """Cut a page out of rows in the order of a unique text; `then` orders what DISTINCT ON makes unique."""
    if asked["cursor"]:
        rows = rows.filter(**{f"{field}__gt": asked["cursor"]})
    return _cut(rows.order_by(field, *then), asked["limit"], lambda row: str(getattr(row, field)))


def of_sequence[Row](rows: Sequence[Row], asked: dict[str, Any], *, name: Callable[[Row], str]) -> Page[Row]:
    """Cut a page out of rows that are all there, in descending order of their names."""
    left = [row for row in rows if not asked["cursor"] or name(row) < asked["cursor"]]
    return _cut(left, asked["limit"], name)


def answer(serializer: type[serializers.BaseSerializer[Any]], page: Page[Any], **context: Any) -> Response:
    """Render a page: `{"data": [...], "next_cursor": "…" or null}`."""
    data = serializer(page.rows, many=True, context=context).data
    return Response({"data": data, "next_cursor": page.next_cursor})


def shape(item: type[serializers.BaseSerializer[Any]]) -> type[serializers.Serializer[Any]]:
    """Return the serializer of a page of these items, for the schema."""
    fields = {
        "data": item(many=True),
        "next_cursor": serializers.CharField(allow_null=True, help_text="Where the next page begins; null at the end."),
        "__doc__": "A page of a list.",
    }
    return type(f"{item.__name__}Page", (serializers.Serializer,), fields)


def _cut[Row](rows: Sequence[Row] | QuerySet[Any], limit: int, cursor: Callable[[Row], str]) -> Page[Row]:
    # One more than asked for tells whether there is more.
    found = list(rows[: limit + 1])
    is_last = len(found) <= limit
    return Page(found[:limit], None if is_last else cursor(found[limit - 1]))


def _place(cursor: str, prefix: str) -> Any:
    try:
        return ids.parse(prefix, cursor)
    except ValueError as error:
        raise InvalidRequest("cursor: Pass the next_cursor of the page before, unchanged.", param="cursor") from error
