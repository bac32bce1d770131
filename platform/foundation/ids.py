"""Identifiers: UUIDv7 inside (RFC 9562, ordered by time), TypeID outside (`org_01h455vb4pex5vsknk084sn02q`).

Layout of a UUIDv7, from the top: 48 bits of milliseconds, 4 of version, 12 of fractions of that millisecond
(RFC 9562, 6.2, method 3, as PostgreSQL's `uuidv7()` does), 2 of variant, 62 random bits that are fresh every time.
"""

import os
import re
import struct
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32, lower case: no i, l, o or u."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_VERSION = 7 << 76
_VARIANT = 2 << 62
_RANDOM_BITS = (1 << 62) - 1
_IDS_AT_ONCE = 256
# A clock that steps back by more than this is believed again, or one wrong hour would stay in every id to come.
_STEP_BACK = 10_000 << 12

_PAIRS = [high + low for high in ALPHABET for low in ALPHABET]
_SHIFTS = range(120, -1, -10)
_SUFFIX = re.compile("[0-7][0-9a-hjkmnp-tv-z]{25}")
_TO_PYTHON_DIGITS = str.maketrans(ALPHABET, "0123456789abcdefghijklmnopqrstuv")


class _Ticks:
    """The time in 4096ths of a millisecond, never the same twice, and randomness."""

    _randomness: Iterator[int]

    def __init__(self) -> None:
        self._last = 0
        self.renew()
        # A fork while another thread holds the lock would leave it locked in the child for good, and the child must
        # not have the randomness of its parent.
        os.register_at_fork(after_in_child=self.renew)

    def renew(self) -> None:
        self._lock = threading.Lock()
        self._randomness = iter(())

    def next(self) -> tuple[int, int]:
        """Return the time, and 64 random bits: fetched for many ids at once, for each system call has its price."""
        with self._lock:
            tick = (time.time_ns() << 12) // 1_000_000
            if tick <= self._last < tick + _STEP_BACK:
                tick = self._last + 1
            self._last = tick
            bits = next(self._randomness, None)
            if bits is None:
                self._randomness = iter(struct.unpack(f"{_IDS_AT_ONCE}Q", os.urandom(8 * _IDS_AT_ONCE)))
                bits = next(self._randomness)
            return tick, bits


_ticks = _Ticks()


def uuid7() -> UUID:
    """Return a new UUIDv7, above all those this process made before, unless the clock stepped back over ten seconds."""
    tick, bits = _ticks.next()
    randomness = bits & _RANDOM_BITS
    return UUID(int=(tick >> 12) << 80 | _VERSION | (tick & 0xFFF) << 64 | _VARIANT | randomness)


def public(prefix: str, value: UUID) -> str:
    """Return the TypeID that people and programs see: the prefix, `_`, and 26 characters.

    The prefix is given without its underscore, as in `public("org", organization.id)`.
    """
    number = value.int
    return _checked(prefix) + "_" + "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


def parse(prefix: str, text: str) -> UUID:
    """Return the UUID inside a TypeID; ValueError for another prefix, and for anything `public` does not write."""
    start, separator, suffix = text.rpartition("_")
    if start != _checked(prefix) or not separator or not _SUFFIX.fullmatch(suffix):
        raise ValueError(f"not an id that starts with {prefix}_")
    return UUID(int=int(suffix.translate(_TO_PYTHON_DIGITS), 32))


def timestamp_of(value: UUID) -> datetime:
    """Return the millisecond a UUIDv7 was made in; ValueError for other versions."""
    if value.version != 7:
        raise ValueError("only a UUIDv7 says when it was made")
    try:
        return _EPOCH + (value.int >> 80) * _MILLISECOND
    except OverflowError as cause:
        raise ValueError("this UUIDv7 is from after the year 9999") from cause


def lowest_at(at: datetime) -> UUID:
    """Return the smallest UUIDv7 of that millisecond, as a bound of partitions and of ranges in queries.

    ValueError for a naive datetime and for an instant before 1970.
    """
    if at.tzinfo is None:
        raise ValueError("an instant has a time zone")
    milliseconds = (at - _EPOCH) // _MILLISECOND
    if milliseconds < 0:
        raise ValueError("a UUIDv7 starts in 1970")
    return UUID(int=milliseconds << 80 | _VERSION | _VARIANT)


def _checked(prefix: str) -> str:
    if prefix.isascii() and prefix.isalpha() and prefix.islower():
        return prefix
    raise ValueError("a prefix is lower-case letters, without its underscore")
