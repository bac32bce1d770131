"""The one place the time is read from, so that it is always aware, always UTC, and easy to travel in tests."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the current instant as an aware datetime in UTC."""
    return datetime.now(UTC)
