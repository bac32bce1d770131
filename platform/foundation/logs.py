"""Logs: one JSON object a line on standard output, with a constant event name, the request's id and listed fields.

Prompts and answers must never reach a log, not by accident either. So a field that is not in `FIELDS` is left out and
counted, a value that is no scalar is replaced by its type, an exception appears as its type and its stack without its
message, and of a library's message only the constant template is kept, unless the library is known to see no content.
In use: `log = logs.get(__name__)`, then `log.info("key_revoked", key=public_id, organization=...)`.
"""

import logging
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from contextvars import ContextVar
from datetime import datetime
from decimal import Decimal
from pathlib import PurePath
from traceback import walk_tb
from typing import Any, BinaryIO
from uuid import UUID

import orjson
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from foundation import clock, metrics

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The public id (`req_…`) of the request being served; every line logged meanwhile carries it."""

_FIELDS = """
module request check subject organization project key user member plan model pool replica deployment engine wallet
budget price hold transaction customer actor target task queue batch dependency setting command process
action scope kind state reason code outcome usage_source endpoint method path status version fence
count size waiting attempt attempts seconds milliseconds retry_after limit amount_nusd balance_nusd cost_nusd
hold_nusd difference_nusd prompt_tokens cached_tokens completion_tokens ttft_ms latency_ms
host port pid url signal exit_code starts_at ends_at expires_at
"""
FIELDS = frozenset(_FIELDS.split())
"""The fields a line may have. None of them ever holds what a person or a model wrote."""

TRUSTED = ("celery", "kombu", "django.request", "django.security", "granian", "_granian", "psycopg.pool")
"""Libraries whose messages are logged with their arguments, because no content passes through them."""

_EVENT = re.compile("[a-z][a-z0-9_]{0,63}")
_MAX_TEXT = 300
_MAX_FRAMES = 12


def get(name: str) -> FilteringBoundLogger:
    """Return a logger; give it the module's `__name__`."""
    logger: FilteringBoundLogger = structlog.get_logger(module=name)
    return logger


def configure(level: str = "INFO", output: BinaryIO | None = None) -> None:
    """Send our own lines from this level up, and libraries' from WARNING up, to standard output (or to `output`)."""
    sink = _Sink(output)
    structlog.configure(
        processors=[_compose],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: sink,
        cache_logger_on_first_use=output is None,
    )
    root = logging.getLogger()
    root.handlers[:] = [_Libraries(sink)]
    root.setLevel(logging.WARNING)


class _Sink:
    """Writes lines, and drops them rather than fail a request: a full disk or a closed pipe is not its business."""

    def __init__(self, output: BinaryIO | None) -> None:
        self._given = output

    def write(self, line: bytes) -> None:
        # ValueError is a closed file, RuntimeError a signal handler that logs in the middle of another line,
        # AttributeError a standard output that somebody replaced by one that takes text only.
        with suppress(OSError, ValueError, RuntimeError, AttributeError):
            output = self._given or sys.stdout.buffer
            output.write(line + b"\n")
            output.flush()

    debug = info = warning = error = critical = write


class _Libraries(logging.Handler):
    """Brings what libraries log through the standard library into the same shape."""

    def __init__(self, sink: _Sink) -> None:
        super().__init__()
        self._sink = sink

    def emit(self, record: logging.LogRecord) -> None:
        facts = {"module": record.name, "said": _said(record)}
        self._sink.write(_line("library_message", record.levelname.lower(), facts, record.exc_info))


def _compose(_: WrappedLogger, method: str, given: EventDict) -> bytes:
    event, exc_info = given.pop("event", None), given.pop("exc_info", None)
    facts = {name: _scalar(value) for name, value in given.items() if name in FIELDS}
    dropped = len(given) - len(facts)
    if not isinstance(event, str) or not _EVENT.fullmatch(event):
        # A name with a fact in it could be anything, so it is treated like an unlisted field.
        event, dropped = "unnamed_event", dropped + 1
    if dropped:
        metrics.log_fields_dropped.inc(dropped)
        facts["dropped"] = dropped
    return _line(event, method, facts, exc_info)


def _line(event: str, level: str, facts: Mapping[str, Any], exc_info: object) -> bytes:
    line: dict[str, Any] = {"at": clock.now().isoformat(), "level": level, "event": event, **facts}
    if (request := request_id.get()) is not None:
        line["request_id"] = request
    if (error := _exception(exc_info)) is not None:
        line["error"], line["stack"] = _chain(error), _stack(error)
    return orjson.dumps(line)


def _said(record: logging.LogRecord) -> str:
    text = str(record.msg)
    if record.name.startswith(TRUSTED):
        # Where the library's arguments do not fit its template, the template stands alone.
        with suppress(TypeError, ValueError, KeyError):
            text = record.getMessage()
    return _text(text.partition("\n")[0])


def _scalar(value: object) -> object:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID | Decimal):
        return str(value)
    return f"<{type(value).__name__}>"


def _text(value: str) -> str:
    text = str(value)[:_MAX_TEXT]
    # A lone surrogate is legal in Python and in no encoding.
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _exception(exc_info: object) -> BaseException | None:
    if isinstance(exc_info, tuple):
        exc_info = exc_info[1]
    elif exc_info is True:
        return sys.exception()
    return exc_info if isinstance(exc_info, BaseException) else None


def _chain(error: BaseException) -> str:
    names: list[str] = []
    link: BaseException | None = error
    while link is not None and len(names) < _MAX_FRAMES:
        names.append(f"{type(link).__module__}.{type(link).__qualname__}")
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return " from ".join(names)


def _stack(error: BaseException) -> list[str]:
    frames = [(frame.f_code, line) for frame, line in walk_tb(error.__traceback__)]
    return [
        f"{'/'.join(PurePath(code.co_filename).parts[-3:]).lstrip('/')}:{line} {code.co_name}"
        for code, line in frames[-_MAX_FRAMES:]
    ]
