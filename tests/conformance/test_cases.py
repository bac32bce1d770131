"""Each case against the target: an engine answers in the shape that was recorded from the real vLLM."""

from tests.conformance import golden, shapes, table, targets
from tests.conformance.cases import Case
from tests.conformance.crossing import STANDING, UNCHANGED
from tests.conformance.wire import Target


def test_an_engine_answers_as_vllm_does(case: Case, target: Target):
    answer = target.send(case.request, case.role)
    shape = shapes.of(answer)
    if targets.RECORDING and target.name == "vllm":
        golden.record(case.area, case.name, shape)
    if case.simulator_differs and target.name == "simulator":
        assert shape != golden.recorded(case.area, case.name)
    else:
        golden.expect(case.area, case.name, shape)
    for holds in case.holds:
        holds(answer)


def test_what_the_gateway_does_otherwise_is_said_with_its_reason():
    for case in table.CASES:
        answered = golden.recorded(case.area, case.name)["status"] == 200
        if answered and case.gateway != UNCHANGED:
            assert any([case.gateway.why, *(change.__doc__ for change in case.gateway.changes)]), case.id
    assert all(change.__doc__ for changes in STANDING.values() for change in changes)


def test_no_two_cases_share_a_name():
    assert len({case.id for case in table.CASES}) == len(table.CASES)
