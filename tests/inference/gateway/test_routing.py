"""Which replica serves."""

import pytest

from inference.gateway.catalogue import Pool, Replica, Route
from inference.gateway.errors import NoReplica
from inference.gateway.routing import COOLING_SECONDS, Balance, choose, seats


def pool(name: str, *healthy: bool, most: int | None = None) -> Pool:
    replicas = tuple(Replica(f"{name}{n}", f"http://{name}{n}", ok) for n, ok in enumerate(healthy))
    return Pool(name, "vllm", "", 2, 60, 30, 600, replicas, most)


TWO = (Route(pool("a", True, True), "up", 1),)


def test_the_least_busy_replica_is_chosen():
    assert choose(TWO, {"a0": 3, "a1": 2}, (), turn=0).replica.id == "a1"


def test_equals_take_turns():
    assert {choose(TWO, {}, (), turn=turn).replica.id for turn in range(2)} == {"a0", "a1"}


def test_weight_counts():
    heavy = (Route(pool("a", True), "up", 1), Route(pool("b", True), "up", 3))
    assert choose(heavy, {"a0": 1, "b0": 2}, (), turn=0).replica.id == "b0"


def test_an_unhealthy_replica_and_a_weight_of_zero_never_serve():
    sick = (Route(pool("a", False), "up", 1), Route(pool("b", True), "up", 0))
    with pytest.raises(NoReplica):
        choose(sick, {}, (), turn=0)


def test_a_replica_that_just_failed_serves_only_if_no_other_can():
    assert choose(TWO, {"a1": 50}, {"a0"}, turn=0).replica.id == "a1"
    assert choose((Route(pool("a", True), "up", 1),), {}, {"a0"}, turn=0).replica.id == "a0"


def test_what_was_tried_is_not_tried_again():
    assert choose(TWO, {}, (), turn=0, tried=["a0"]).replica.id == "a1"
    with pytest.raises(NoReplica):
        choose(TWO, {}, (), turn=0, tried=["a0", "a1"])


def test_the_balance_counts_up_and_down():
    balance = Balance()
    targets = [balance.choose(TWO, now=0.0) for _ in range(4)]
    assert sorted(balance.in_flight.values()) == [2, 2]
    for target in targets:
        balance.release(target)
    assert set(balance.in_flight.values()) == {0}


def test_a_failure_cools_down():
    balance = Balance()
    failed = balance.choose(TWO, now=0.0)
    balance.release(failed)
    balance.failed(failed, now=0.0)
    others = {balance.choose(TWO, now=1.0).replica.id for _ in range(3)}
    assert failed.replica.id not in others
    assert failed.replica.id in {balance.choose(TWO, now=COOLING_SECONDS + 1).replica.id for _ in range(8)}


LIMITED = (Route(pool("a", True, most=2), "up", 1), Route(pool("b", True, most=3), "up", 1))
MIXED = (Route(pool("a", True, True, most=2), "up", 1), Route(pool("free", True), "up", 1))


def test_where_no_pool_is_limited_nobody_needs_a_place():
    assert seats(TWO, {}, ()) == ()


def test_places_are_looked_for_in_the_least_busy_pool_first():
    assert [seat.scope_id for seat in seats(LIMITED, {"a0": 1}, ())] == ["b", "a"]
    assert [seat.concurrency for seat in seats(LIMITED, {"b0": 1}, ())] == [2, 3]


def test_a_pool_without_an_engine_offers_no_place():
    sick = (Route(pool("a", False, most=2), "up", 1), Route(pool("b", True, most=3), "up", 1))
    assert [seat.scope_id for seat in seats(sick, {}, ())] == ["b"]


def test_a_limited_pool_serves_only_those_that_have_a_place_in_it():
    assert choose(LIMITED, {"b0": 9}, (), turn=0, seat="b").pool.name == "b"
    with pytest.raises(NoReplica):
        choose(LIMITED, {}, (), turn=0)
    with pytest.raises(NoReplica):
        choose(LIMITED, {}, (), turn=0, tried=["b0"], seat="b")


def test_when_its_pool_fails_a_request_may_go_to_one_without_a_limit():
    assert choose(MIXED, {"free0": 0, "a0": 9, "a1": 9}, (), turn=0, seat="a").pool.name == "a"
    assert choose(MIXED, {}, (), turn=0, tried=["a0", "a1"], seat="a").pool.name == "free"
