import io
import logging
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal

import orjson
import pytest
import structlog

from foundation import logs, metrics

CANARY = "the prompt that nobody may see"
type Lines = Callable[[], list[dict[str, object]]]


@pytest.fixture
def output() -> io.BytesIO:
    return io.BytesIO()


@pytest.fixture
def lines(output: io.BytesIO) -> Iterator[Lines]:
    """What is logged from here on, read back."""
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    logs.configure(output=output)
    yield lambda: [orjson.loads(line) for line in output.getvalue().splitlines()]
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**before)


def failing() -> None:
    try:
        raise KeyError(CANARY)
    except KeyError as cause:
        raise ValueError(CANARY) from cause


def test_a_line_is_an_event_with_facts(lines: Lines):
    logs.get("keys.issuing").info("key_revoked", key="key_1", status=200)
    (line,) = lines()
    assert datetime.fromisoformat(str(line.pop("at"))).tzinfo is not None
    assert line == {"level": "info", "event": "key_revoked", "module": "keys.issuing", "key": "key_1", "status": 200}


def test_a_line_carries_the_id_of_its_request(lines: Lines):
    token = logs.request_id.set("req_1")
    logs.get("test").info("served")
    logs.request_id.reset(token)
    logs.get("test").info("served")
    assert [line.get("request_id") for line in lines()] == ["req_1", None]


def test_an_unlisted_field_is_left_out_and_counted(lines: Lines, output: io.BytesIO):
    before = metrics.registry.get_sample_value("turnpike_log_fields_dropped_total") or 0
    logs.get("test").info("served", prompt=CANARY, messages=[CANARY], model="sim")
    assert lines()[0]["dropped"] == 2
    assert CANARY not in output.getvalue().decode()
    assert metrics.registry.get_sample_value("turnpike_log_fields_dropped_total") == before + 2


@pytest.mark.parametrize("event", [f"served {CANARY}", "Served", "", "x" * 65, 7])
def test_an_event_that_is_no_constant_name_is_left_out(lines: Lines, output: io.BytesIO, event):
    logs.get("test").info(event)
    assert (lines()[0]["event"], lines()[0]["dropped"]) == ("unnamed_event", 1)
    assert CANARY not in output.getvalue().decode()


def test_a_value_that_is_no_scalar_is_replaced_by_its_type(lines: Lines):
    logs.get("test").info("served", model={"messages": CANARY}, pool=[CANARY], target=object())
    assert (lines()[0]["model"], lines()[0]["pool"], lines()[0]["target"]) == ("<dict>", "<list>", "<object>")


def test_scalars_keep_their_value(lines: Lines):
    value = uuid.uuid4()
    logs.get("test").info(
        "served", key=value, amount_nusd=2**70, limit=Decimal("0.5"), seconds=0.25, code=None, state=True,
        expires_at=datetime(2026, 1, 1, tzinfo=UTC), reason="\ud800x", path="p" * 1000,
    )  # fmt: skip  # one fact a line would be longer than the test
    (line,) = lines()
    assert (line["key"], line["amount_nusd"], line["limit"]) == (str(value), str(2**70), "0.5")
    assert (line["seconds"], line["code"], line["state"]) == (0.25, None, True)
    assert (line["expires_at"], line["reason"]) == ("2026-01-01T00:00:00+00:00", "?x")
    assert len(str(line["path"])) == 300


def test_an_exception_shows_where_and_what_kind_but_not_its_message(lines: Lines, output: io.BytesIO):
    try:
        failing()
    except ValueError:
        logs.get("test").exception("it_failed")
    (line,) = lines()
    assert (line["level"], line["error"]) == ("error", "builtins.ValueError from builtins.KeyError")
    assert any("test_logs.py" in str(frame) and "failing" in str(frame) for frame in line["stack"])  # type: ignore[attr-defined]  # JSON has no types
    assert CANARY not in output.getvalue().decode()


def test_an_exception_can_be_given(lines: Lines):
    logs.get("test").warning("it_failed", exc_info=LookupError(CANARY))
    assert lines()[0]["error"] == "builtins.LookupError"


def test_lines_below_the_level_are_not_written(lines: Lines):
    logs.get("test").debug("served")
    assert lines() == []


def test_a_librarys_message_is_kept_as_its_template_only(lines: Lines, output: io.BytesIO):
    logging.getLogger("some.client").warning("could not send %s", CANARY)
    written_out = f"Task exception was never retrieved\nfuture: <Task exception={CANARY}>"
    logging.getLogger("asyncio").error(written_out)
    assert [line["said"] for line in lines()] == ["could not send %s", "Task exception was never retrieved"]
    assert {line["event"] for line in lines()} == {"library_message"}
    assert CANARY not in output.getvalue().decode()


def test_a_library_that_sees_no_content_is_quoted(lines: Lines):
    logging.getLogger("celery.worker").warning("lost %s", "redis")
    assert (lines()[0]["said"], lines()[0]["module"], lines()[0]["level"]) == ("lost redis", "celery.worker", "warning")


def test_a_librarys_message_with_wrong_arguments_is_its_template(lines: Lines):
    record = logging.LogRecord("celery", logging.WARNING, __file__, 1, "lost %d", ("redis",), None)
    logging.getLogger().handlers[0].handle(record)
    assert lines()[0]["said"] == "lost %d"


def test_a_librarys_exception_loses_its_message_too(lines: Lines, output: io.BytesIO):
    try:
        failing()
    except ValueError:
        logging.getLogger("celery").exception("failed")
    assert lines()[0]["error"] == "builtins.ValueError from builtins.KeyError"
    assert CANARY not in output.getvalue().decode()


def test_libraries_chatter_below_warning_is_not_written(lines: Lines):
    logging.getLogger("httpx").info("HTTP Request")
    assert lines() == []


def test_an_output_that_fails_does_not_fail_the_caller():
    output = io.BytesIO()
    before = structlog.get_config()
    handlers = logging.getLogger().handlers[:]
    logs.configure(output=output)
    output.close()
    logs.get("test").info("served")
    logging.getLogger("celery").warning("lost")
    logging.getLogger().handlers[:] = handlers
    structlog.configure(**before)


def test_standard_output_is_where_lines_go_by_default(capsysbinary):
    before, handlers = structlog.get_config(), logging.getLogger().handlers[:]
    logs.configure()
    logs.get("test").info("served")
    logging.getLogger().handlers[:] = handlers
    structlog.configure(**before)
    assert orjson.loads(capsysbinary.readouterr().out)["event"] == "served"
