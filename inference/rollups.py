"""The SQL of the rollups: replacing a stretch of hours or a day, finding what to replace, comparing with the records.

Each replacement is one statement over one snapshot: it writes what the records say, leaves rows alone that say it
already, and removes rows whose records are gone.
"""

from __future__ import annotations

from datetime import timedelta

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

UNITS = ("seconds", "characters", "images")
"""What records count in `quantity`, by their `unit`; a column each."""

_COUNTS = ("requests", "errors", "prompt_tokens", "cached_tokens", "completion_tokens", *UNITS, "cost_nusd")
_KEY = "organization_id, starts_at, project_id, key_id, model"

_OF_RECORDS = """
    SELECT organization_id, date_trunc('{unit}', uuid_extract_timestamp(request_id), 'UTC') AS starts_at,
        project_id, key_id, model, count(*) AS requests,
        count(*) FILTER (WHERE outcome = ANY (%(failed)s)) AS errors, sum(prompt_tokens) AS prompt_tokens,
        sum(cached_tokens) AS cached_tokens, sum(completion_tokens) AS completion_tokens,
        {units}, sum(cost_nusd) AS cost_nusd
    FROM billing_usagerecord WHERE {bounds}
    GROUP BY 1, 2, 3, 4, 5
"""

_OF_HOURS = """
    SELECT organization_id, date_trunc('day', starts_at, 'UTC') AS starts_at,
        project_id, key_id, model, sum(requests) AS requests,
        sum(errors) AS errors, sum(prompt_tokens) AS prompt_tokens,
        sum(cached_tokens) AS cached_tokens, sum(completion_tokens) AS completion_tokens,
        sum(seconds) AS seconds, sum(characters) AS characters, sum(images) AS images, sum(cost_nusd) AS cost_nusd
    FROM inference_usagehour WHERE starts_at >= %(starts_at)s AND starts_at < %(ends_at)s
    GROUP BY 1, 2, 3, 4, 5
"""

_REPLACE = """
WITH fresh AS ({source}), gone AS (
    DELETE FROM {table} AS old
    WHERE old.starts_at >= %(starts_at)s AND old.starts_at < %(ends_at)s AND NOT EXISTS (
        SELECT FROM fresh WHERE (fresh.organization_id, fresh.starts_at, fresh.project_id, fresh.key_id, fresh.model)
            = (old.organization_id, old.starts_at, old.project_id, old.key_id, old.model))
    RETURNING 1
), written AS (
    INSERT INTO {table} AS old ({key}, {counts}) SELECT {key}, {counts} FROM fresh
    ON CONFLICT ({key}) DO UPDATE SET ({counts}) = ({new_counts})
    WHERE ({old_counts}) IS DISTINCT FROM ({new_counts})
    RETURNING 1
)
SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM written)
"""

_COMPARE = """
WITH expected AS ({source}), differing AS (
    SELECT {key}, {pairs}
    FROM expected FULL JOIN (SELECT * FROM {table} WHERE starts_at < %(ends_at)s) AS found USING ({key})
)
SELECT organization_id, starts_at, key_id, model, side.name, side.expected, side.found
FROM differing, LATERAL (VALUES {sides}) AS side(name, expected, found)
WHERE side.expected <> side.found ORDER BY starts_at, organization_id, key_id, model, side.name
"""

TOUCHED = """
SELECT date_trunc('hour', uuid_extract_timestamp(request_id), 'UTC') AS hour FROM billing_usagerecord
WHERE %(since)s::timestamptz IS NULL OR at >= %(since)s::timestamptz
UNION
SELECT starts_at FROM inference_usagehour WHERE starts_at >= %(since)s::timestamptz
ORDER BY hour
"""
"""Hours with records settled since an instant (without one, all), and hours since whose records may be gone."""

LAST_USES = """
SELECT key_id, max(uuid_extract_timestamp(request_id)) FROM billing_usagerecord
WHERE %(since)s::timestamptz IS NULL OR at >= %(since)s::timestamptz GROUP BY key_id
"""
"""When each key was last used, of those that were used since an instant."""


def _of_records(unit: str, bounds: str) -> str:
    units = ", ".join(f"coalesce(sum(quantity) FILTER (WHERE unit = '{name}'), 0) AS {name}" for name in UNITS)
    return _OF_RECORDS.format(unit=unit, bounds=bounds, units=units)


def _columns(prefix: str) -> str:
    return ", ".join(f"{prefix}{name}" for name in _COUNTS)


def _replace(table: str, source: str) -> str:
    return _REPLACE.format(
        source=source,
        table=table,
        key=_KEY,
        counts=_columns(""),
        old_counts=_columns("old."),
        new_counts=_columns("EXCLUDED."),
    )


def _compare(table: str, unit: str) -> str:
    both = "coalesce(expected.{0}, 0) AS expected_{0}, coalesce(found.{0}, 0) AS found_{0}"
    return _COMPARE.format(
        source=_of_records(unit, "request_id < %(end)s"),
        table=table,
        key=_KEY,
        pairs=", ".join(both.format(name) for name in _COUNTS),
        sides=", ".join(f"('{name}', expected_{name}, found_{name})" for name in _COUNTS),
    )


HOURS = _replace("inference_usagehour", _of_records("hour", "request_id >= %(first)s AND request_id < %(end)s"))
"""Replaces the hours in [starts_at, ends_at); first and end are the smallest ids of those instants."""

DAYS = _replace("inference_usageday", _OF_HOURS)
"""Replaces the days in [starts_at, ends_at) by what their hours say."""

COMPARISONS = {"hour": _compare("inference_usagehour", "hour"), "day": _compare("inference_usageday", "day")}
"""By unit: what differs between records and rollups before ends_at."""
