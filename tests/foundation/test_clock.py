from datetime import UTC, datetime

import time_machine

from foundation import clock


def test_now_is_aware_and_in_utc():
    assert clock.now().tzinfo is UTC


def test_now_can_be_moved_by_a_test():
    with time_machine.travel(datetime(2030, 1, 2, 3, 4, tzinfo=UTC), tick=False):
        assert clock.now() == datetime(2030, 1, 2, 3, 4, tzinfo=UTC)
