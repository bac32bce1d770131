import asyncio

import pytest

from inference.simulator.outlet import Outlet


class Transport(asyncio.Transport):
    """A kernel that takes everything, or nothing while it is told to be full."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.closed = False

    def set_write_buffer_limits(self, high=None, low=None):
        assert high == 0

    def write(self, data):
        self.writes.append(bytes(data))

    def is_closing(self):
        return self.closed

    def close(self):
        self.closed = True


@pytest.fixture
async def outlet():
    transport = Transport()
    made = Outlet(transport, asyncio.get_running_loop())
    made.writes = transport.writes  # type: ignore[attr-defined]  # for the tests to look at
    return made


async def test_corked_writes_leave_as_one(outlet):
    outlet.cork()
    outlet.write(b"a")
    outlet.write(b"b")
    outlet.flush()
    outlet.write(b"c")
    assert outlet.writes == [b"ab", b"c"]


async def test_pieces_leave_one_for_each_turn_of_the_loop_and_keep_their_place(outlet):
    outlet.write_pieces([b"a", b"b"])
    outlet.write(b"c")
    assert outlet.writes == [b"a"]
    await asyncio.sleep(0)
    assert outlet.writes == [b"a", b"b"]
    for _ in range(3):
        await asyncio.sleep(0)
    assert outlet.writes == [b"a", b"b", b"c"]


async def test_the_waiter_is_called_when_all_has_left(outlet):
    called = []
    outlet.write_pieces([b"a", b"b"])
    outlet.when_drained(lambda: called.append(list(outlet.writes)))
    assert called == []
    for _ in range(5):
        await asyncio.sleep(0)
    assert called == [[b"a", b"b"]]


async def test_a_full_kernel_holds_pieces_and_waiter_back(outlet):
    called = []
    outlet.write_pieces([b"a", b"b"])
    outlet.pause()
    outlet.when_drained(lambda: called.append(True))
    for _ in range(5):
        await asyncio.sleep(0)
    assert (outlet.writes, called) == ([b"a"], [])
    outlet.resume()
    for _ in range(5):
        await asyncio.sleep(0)
    assert (outlet.writes, called) == ([b"a", b"b"], [True])


async def test_a_pause_and_a_resume_within_one_turn_repeat_nothing(outlet):
    outlet.write_pieces([b"a", b"b"])
    outlet.pause()
    outlet.resume()
    for _ in range(5):
        await asyncio.sleep(0)
    assert outlet.writes == [b"a", b"b"]


async def test_closing_waits_for_what_was_written(outlet):
    outlet.write_pieces([b"a", b"b"])
    outlet.close()
    assert not outlet._transport.closed
    for _ in range(5):
        await asyncio.sleep(0)
    assert outlet._transport.closed
    assert outlet.writes == [b"a", b"b"]
