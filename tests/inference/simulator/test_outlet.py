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
def transport():
    return Transport()


@pytest.fixture
async def outlet(transport):
    return Outlet(transport, asyncio.get_running_loop())


async def test_corked_writes_leave_as_one(outlet, transport):
    outlet.cork()
    outlet.write(b"a")
    outlet.write(b"b")
    outlet.flush()
    outlet.write(b"c")
    assert transport.writes == [b"ab", b"c"]


async def test_pieces_leave_one_for_each_turn_of_the_loop_and_keep_their_place(outlet, transport):
    outlet.write_pieces([b"a", b"b"])
    outlet.write(b"c")
    assert transport.writes == [b"a"]
    await asyncio.sleep(0)
    assert transport.writes == [b"a", b"b"]
    for _ in range(3):
        await asyncio.sleep(0)
    assert transport.writes == [b"a", b"b", b"c"]


async def test_the_waiter_is_called_when_all_has_left(outlet, transport):
    called = []
    outlet.write_pieces([b"a", b"b"])
    outlet.when_drained(lambda: called.append(list(transport.writes)))
    assert called == []
    for _ in range(5):
        await asyncio.sleep(0)
    assert called == [[b"a", b"b"]]


async def test_a_full_kernel_holds_pieces_and_waiter_back(outlet, transport):
    called = []
    outlet.write_pieces([b"a", b"b"])
    outlet.pause()
    outlet.when_drained(lambda: called.append(True))
    for _ in range(5):
        await asyncio.sleep(0)
    assert (transport.writes, called) == ([b"a"], [])
    outlet.resume()
    for _ in range(5):
        await asyncio.sleep(0)
    assert (transport.writes, called) == ([b"a", b"b"], [True])


async def test_a_pause_and_a_resume_within_one_turn_repeat_nothing(outlet, transport):
    outlet.write_pieces([b"a", b"b"])
    outlet.pause()
    outlet.resume()
    for _ in range(5):
        await asyncio.sleep(0)
    assert transport.writes == [b"a", b"b"]


async def test_closing_waits_for_what_was_written(outlet, transport):
    outlet.write_pieces([b"a", b"b"])
    outlet.close()
    assert not transport.closed
    for _ in range(5):
        await asyncio.sleep(0)
    assert transport.closed
    assert transport.writes == [b"a", b"b"]
