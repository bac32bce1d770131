import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as some

from foundation import clock, ids

UUIDS = some.uuids()
LAST = datetime(9999, 12, 31, tzinfo=UTC)


def test_a_new_id_is_an_rfc_9562_version_7():
    value = ids.uuid7()
    assert (value.version, value.variant) == (7, uuid.RFC_4122)


def test_a_new_id_says_when_it_was_made():
    before = clock.now()
    made = ids.timestamp_of(ids.uuid7())
    assert before - timedelta(milliseconds=1) <= made <= clock.now()


def test_ids_of_one_process_only_rise():
    values = [ids.uuid7() for _ in range(10_000)]
    assert values == sorted(set(values))


def test_ids_rise_while_the_clock_stands_still():
    with time_machine.travel(datetime(2040, 1, 1, tzinfo=UTC), tick=False):
        values = [ids.uuid7() for _ in range(10_000)]
    assert values == sorted(set(values))


def test_ids_rise_when_the_clock_steps_back_a_little():
    with time_machine.travel(datetime(2041, 1, 1, tzinfo=UTC), tick=False) as traveller:
        earlier = ids.uuid7()
        traveller.shift(-5)
        assert ids.uuid7() > earlier


def test_a_clock_that_steps_back_far_is_believed():
    with time_machine.travel(datetime(2042, 1, 1, tzinfo=UTC)):
        ids.uuid7()
    assert ids.timestamp_of(ids.uuid7()) - clock.now() < timedelta(seconds=1)


def test_threads_never_share_an_id():
    with ThreadPoolExecutor(8) as pool:
        batches = list(pool.map(lambda _: [ids.uuid7() for _ in range(1000)], range(8)))
    assert len({value for batch in batches for value in batch}) == 8000


def test_a_type_id_follows_the_example_of_its_specification():
    value = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
    assert ids.public("prefix", value) == "prefix_01h455vb4pex5vsknk084sn02q"
    assert ids.parse("prefix", "prefix_01h455vb4pex5vsknk084sn02q") == value


@given(UUIDS)
def test_a_public_id_reads_back(value):
    assert ids.parse("org", ids.public("org", value)) == value


@given(some.lists(UUIDS, min_size=2))
def test_public_ids_sort_as_their_uuids(values):
    assert sorted(ids.public("org", value) for value in values) == [
        ids.public("org", value) for value in sorted(values)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "org",
        "org_",
        "key_01h455vb4pex5vsknk084sn02q",
        "01h455vb4pex5vsknk084sn02q",
        "_01h455vb4pex5vsknk084sn02q",
        "org__01h455vb4pex5vsknk084sn02q",
        "org_01H455VB4PEX5VSKNK084SN02Q",
        "org_81h455vb4pex5vsknk084sn02q",
        "org_01h455vb4pex5vsknk084sn02",
        "org_01h455vb4pex5vsknk084sn02qq",
        "org_01h455vb4pex5vsknk084sn02u",
        "org_01h455vb4pex5vsknk084sn02q\n",
        "org_0-h455vb4pex5vsknk084sn02q",
        "org_\u06601h455vb4pex5vsknk084sn02q",
        "org_01890a5d-ac96-774b-bcce-b302099a8057",
    ],
)
def test_what_public_does_not_write_is_refused(text):
    with pytest.raises(ValueError, match="org_"):
        ids.parse("org", text)


@given(some.text())
def test_a_text_is_read_only_if_it_is_written_so(text):
    try:
        value = ids.parse("org", text)
    except ValueError:
        return
    assert ids.public("org", value) == text


@pytest.mark.parametrize("prefix", ["org_", "", "Org", "o rg", "ö"])
def test_a_prefix_is_lower_case_letters(prefix):
    with pytest.raises(ValueError, match="prefix"):
        ids.public(prefix, ids.uuid7())


@given(some.datetimes(datetime(1970, 1, 1), LAST.replace(tzinfo=None), timezones=some.just(UTC)))  # noqa: DTZ001 - bounds
def test_the_lowest_id_of_a_millisecond_is_in_it(at):
    assert ids.timestamp_of(ids.lowest_at(at)) == at.replace(microsecond=at.microsecond // 1000 * 1000)


def test_the_lowest_id_of_a_millisecond_is_below_all_others_of_it():
    value = ids.uuid7()
    at = ids.timestamp_of(value)
    assert ids.lowest_at(at) <= value < ids.lowest_at(at + timedelta(milliseconds=1))


@pytest.mark.parametrize("at", [datetime(2026, 1, 1), datetime(1969, 12, 31, tzinfo=UTC)])  # noqa: DTZ001 - the point
def test_an_instant_without_a_zone_or_before_the_epoch_has_no_lowest_id(at):
    with pytest.raises(ValueError, match=r"instant|1970"):
        ids.lowest_at(at)


@pytest.mark.parametrize("value", [uuid.uuid4(), UUID("ffffffff-ffff-7fff-bfff-ffffffffffff")])
def test_an_id_that_names_no_instant_is_refused(value):
    with pytest.raises(ValueError, match="UUIDv7"):
        ids.timestamp_of(value)


def test_a_child_forked_while_the_lock_is_held_can_make_ids():
    script = """
import os
from foundation import ids
with ids._ticks._lock:
    child = os.fork()
    if child == 0:
        ids.uuid7()
        os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout == "7\n"
