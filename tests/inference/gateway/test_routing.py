"""Which replica serves."""

import pytest

from inference.gateway.catalogue import Model, Pool, Replica, Route
from inference.gateway.errors import NoReplica
from inference.gateway.routing import COOLING_SECONDS, Balance, choose


def pool(name: str, *healthy: bool) -> Pool:
    replicas = tuple(Replica(f"{name}{n}", f"http://{name}{n}", ok) for n, ok in enumerate(healthy))
    return Pool(name, "vllm", "", 2, 60, 30, 600, replicas)


def model(*routes: Route) -> Model:
    return Model("m", "M", "us", 0, 8192, 1024, frozenset(), None, (), routes)


TWO = model(Route(pool("a", True, True), "up", 1))


def test_the_least_busy_replica_is_chosen():
    assert choose(TWO, {"a0": 3, "a1": 2}, (), turn=0).replica.id == "a1"


def test_equals_take_turns():
    assert {choose(TWO, {}, (), turn=turn).replica.id for turn in range(2)} == {"a0", "a1"}


def test_weight_counts():
    heavy = model(Route(pool("a", True), "up", 1), Route(pool("b", True), "up", 3))
    assert choose(heavy, {"a0": 1, "b0": 2}, (), turn=0).replica.id == "b0"


def test_an_unhealthy_replica_and_a_weight_of_zero_never_serve():
    sick = model(Route(pool("a", False), "up", 1), Route(pool("b", True), "up", 0))
    with pytest.raises(NoReplica):
        choose(sick, {}, (), turn=0)


def test_a_replica_that_just_failed_serves_only_if_no_other_can():
    assert choose(TWO, {"a1": 50}, {"a0"}, turn=0).replica.id == "a1"
    assert choose(model(Route(pool("a", True), "up", 1)), {}, {"a0"}, turn=0).replica.id == "a0"


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
