import pytest

from inference.simulator.directives import HUGE

QUICK = "tokens=3 ttft=0 gap=1"
FINAL = {"include_usage": True}
CONTINUOUS = {"include_usage": True, "continuous_usage_stats": True}


def _usages(sim, directive, **options):
    """The completion tokens in each chunk's usage, and in the usage chunk at the end (None where there is none)."""
    events = sim.ask(f"[[sim {QUICK} {directive}]]", stream=True, **options).events
    end = [event["usage"]["completion_tokens"] for event in events if not event["choices"]]
    inside = [event["usage"]["completion_tokens"] for event in events if event["choices"] and event.get("usage")]
    return inside, end[0] if end else None


def test_a_stream_has_no_usage_unless_asked(sim):
    assert _usages(sim, "") == ([], None)


def test_usage_comes_in_a_chunk_without_choices(sim):
    reply = sim.ask(f"[[sim {QUICK}]]", stream=True, stream_options=FINAL)
    last = reply.events[-1]
    assert last["choices"] == []
    assert last["usage"]["completion_tokens"] == 3
    assert last["usage"]["prompt_tokens_details"] == {"cached_tokens": 0, "created_cache_tokens": 0}


def test_continuous_usage_is_cumulative_from_the_role_chunk_on(sim):
    assert _usages(sim, "", stream_options=CONTINUOUS) == ([0, 1, 2, 3, 3], 3)


def test_continuous_without_the_final_one_is_none_at_all(sim):
    assert _usages(sim, "", stream_options={"include_usage": False, "continuous_usage_stats": True}) == ([], None)


def test_continuous_usage_counts_its_own_choice_and_the_last_one_all(sim):
    assert _usages(sim, "", stream_options=CONTINUOUS, n=2) == ([0, 0, 1, 1, 2, 2, 3, 3, 3, 3], 6)


@pytest.mark.parametrize(
    ("kind", "asked", "inside", "end"),
    [
        ("final", None, [], 3),
        ("final", CONTINUOUS, [], 3),
        ("continuous", None, [0, 1, 2, 3, 3], 3),
        ("none", CONTINUOUS, [], None),
        ("zero", None, [], 0),
        ("zero", CONTINUOUS, [0] * 5, 0),
        ("huge", FINAL, [], HUGE),
        ("huge", CONTINUOUS, [HUGE] * 5, HUGE),
    ],
)
def test_a_directive_decides_what_a_stream_tells(sim, kind, asked, inside, end):
    options = {"stream_options": asked} if asked else {}
    assert _usages(sim, f"usage={kind}", **options) == (inside, end)


@pytest.mark.parametrize(
    ("kind", "tokens"), [("final", 3), ("continuous", 3), ("none", None), ("zero", 0), ("huge", HUGE)]
)
def test_a_directive_decides_what_a_plain_answer_tells(sim, kind, tokens):
    answer = sim.ask(f"[[sim {QUICK} usage={kind}]]").json
    assert answer.get("usage", {}).get("completion_tokens") == tokens


def test_the_prompt_is_counted_in_the_usage(sim):
    answer = sim.ask(f"[[sim {QUICK}]] {'x' * 400}").json
    assert answer["usage"]["prompt_tokens"] == 4 + -(-(len(f"[[sim {QUICK}]] ") + 400) // 4)
