"""Which limits a key has in effect: by examples, and by properties over all limits there can be."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.ids import uuid7
from keys.effective import RATES, WINDOWS, Cap, Limits, Scope, excess, merge

numbers = st.none() | st.integers(0, 2**31 - 1)
model_sets = st.none() | st.frozensets(st.sampled_from(["a", "b", "c", "d"]))
budgets = st.just((None, None)) | st.tuples(st.integers(0, 2**63 - 1), st.sampled_from(sorted(WINDOWS)))


@st.composite
def limits(draw) -> Limits:
    amount, window = draw(budgets)
    rates = {name: draw(numbers) for name in (*RATES, "max_output_tokens")}
    return Limits(**rates, allowed_models=draw(model_sets), budget_nusd=amount, budget_window=window)


def scope(own: Limits, plan: Limits | None = None, name: str = "key", scope_id: UUID | None = None) -> Scope:
    return Scope(name, scope_id or uuid7(), uuid7(), own, plan)


scopes = st.lists(st.builds(scope, limits(), st.none() | limits()), max_size=3)


def stated(known: list[Scope], name: str) -> list:
    both = [part for each in known for part in (each.own, each.plan) if part is not None]
    return [getattr(part, name) for part in both if getattr(part, name) is not None]


def test_without_limits_nothing_is_limited():
    effective = merge([scope(Limits())])
    assert effective == merge([])
    assert (effective.rates, effective.caps, effective.allowed_models, effective.max_output_tokens) == (
        (),
        (),
        None,
        None,
    )


def test_within_a_scope_the_tighter_of_own_and_plan_counts():
    (rate,) = merge([scope(Limits(rpm=10, tpm=500), Limits(rpm=60, tpm=100, concurrency=4))]).rates
    assert (rate.rpm, rate.tpm, rate.concurrency, rate.input_tpm) == (10, 100, 4, None)


def test_each_scope_keeps_a_rate_of_its_own():
    organization, key = uuid7(), uuid7()
    rates = merge(
        [
            scope(Limits(rpm=100), name="organization", scope_id=organization),
            scope(Limits(tpm=5), name="key", scope_id=key),
        ]
    ).rates
    assert [(rate.scope, rate.scope_id, rate.rpm, rate.tpm) for rate in rates] == [
        ("organization", str(organization), 100, None),
        ("key", str(key), None, 5),
    ]


def test_zero_is_a_limit_and_not_the_lack_of_one():
    effective = merge([scope(Limits(rpm=0, budget_nusd=0, budget_window="day", max_output_tokens=0), Limits(rpm=9))])
    assert effective.rates[0].rpm == 0
    assert effective.caps[0].limit_nusd == 0
    assert effective.max_output_tokens == 0


def test_budgets_of_the_same_window_are_one_the_tighter():
    budget = scope(Limits(budget_nusd=7, budget_window="day"), Limits(budget_nusd=5, budget_window="day"))
    assert merge([budget]).caps == (Cap("key", budget.scope_id, budget.budget_id, 5, "day"),)


def test_budgets_of_different_windows_both_count():
    budget = scope(Limits(budget_nusd=7, budget_window="day"), Limits(budget_nusd=50, budget_window="month"))
    assert [(cap.limit_nusd, cap.window) for cap in merge([budget]).caps] == [(7, "day"), (50, "month")]


def test_a_model_must_be_allowed_by_all():
    both = [scope(Limits(allowed_models=frozenset("ab")), Limits(allowed_models=frozenset("bc"))), scope(Limits())]
    assert merge(both).allowed_models == frozenset("b")


def test_an_empty_list_of_models_allows_none():
    assert merge([scope(Limits(allowed_models=frozenset()))]).allowed_models == frozenset()


@given(scopes)
def test_no_rate_is_above_any_that_was_stated(known):
    effective = {rate.scope_id: rate for rate in merge(known).rates}
    for each in known:
        for name in RATES:
            rate = effective.get(str(each.scope_id))
            assert (getattr(rate, name) if rate else None) == min(stated([each], name), default=None)


@given(scopes)
def test_every_budget_stated_is_kept_or_beaten_by_a_tighter_one_of_its_window(known):
    caps = {(cap.budget_id, cap.window): cap.limit_nusd for cap in merge(known).caps}
    for each in known:
        for part in (each.own, each.plan):
            if part is not None and part.budget_nusd is not None and part.budget_window is not None:
                assert caps.pop((each.budget_id, part.budget_window), part.budget_nusd) <= part.budget_nusd
    assert not caps


@given(scopes)
def test_the_rest_is_the_least_and_the_common_of_all_scopes(known):
    effective = merge(known)
    models = stated(known, "allowed_models")
    assert effective.max_output_tokens == min(stated(known, "max_output_tokens"), default=None)
    assert effective.allowed_models == (frozenset.intersection(*models) if models else None)


@given(scopes)
def test_own_and_plan_may_change_places(known):
    swapped = [replace(each, own=each.plan, plan=each.own) for each in known if each.plan is not None]
    kept = [each for each in known if each.plan is not None]
    first, second = merge(kept), merge(swapped)
    assert first.rates == second.rates
    assert sorted(map(repr, first.caps)) == sorted(map(repr, second.caps))


@given(limits(), limits())
def test_what_is_not_wider_lowers_no_rate_of_its_parent_when_merged(child, parent):
    if not excess(child, [parent]):
        merged = merge([scope(parent, child)])
        for name in RATES:
            asked = getattr(child, name)
            assert asked is None or getattr(merged.rates[0], name) == asked


@given(limits())
def test_nothing_is_wider_than_itself_or_than_no_limit(child):
    assert excess(child, [child, Limits()]) == []
    assert excess(Limits(), [child]) == []


@pytest.mark.parametrize(
    ("child", "parent", "wide"),
    [
        (Limits(rpm=11), Limits(rpm=10), ["rpm"]),
        (Limits(tpm=1, concurrency=1), Limits(tpm=0, concurrency=0), ["concurrency", "tpm"]),
        (Limits(max_output_tokens=2), Limits(max_output_tokens=1), ["max_output_tokens"]),
        (Limits(allowed_models=frozenset("ab")), Limits(allowed_models=frozenset("a")), ["allowed_models"]),
        (
            Limits(budget_nusd=2, budget_window="day"),
            Limits(budget_nusd=1, budget_window="day"),
            ["budget_nusd"],
        ),
        (Limits(budget_nusd=2, budget_window="day"), Limits(budget_nusd=1, budget_window="month"), []),
    ],
)
def test_what_is_wider_is_named(child, parent, wide):
    assert excess(child, [parent]) == wide


@given(limits())
def test_limits_survive_being_columns(original):
    assert Limits.of(original.columns()) == original
