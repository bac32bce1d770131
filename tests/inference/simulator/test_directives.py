from dataclasses import fields

import pytest

from inference.simulator import directives
from inference.simulator.directives import NOTHING, Directive, DirectiveError, Fault, parse
from tests.inference.simulator.client import ROOT


def test_a_text_without_a_directive_asks_for_nothing():
    assert parse("What is [[this]]?") == NOTHING


def test_every_key_of_the_contract_is_understood():
    text = (
        "[[sim tokens=100 ttft=50 gap=5.5 usage=continuous die_after=1 rst_after=2 hang_after=3 status=503 err_event=4 "
        "no_done dup_done split=7 crlf comments bad_gzip set_cookie echo_headers]]"
    )
    assert parse(f"Before {text} after") == Directive(
        tokens=100,
        ttft=50,
        gap=5.5,
        usage="continuous",
        die_after=1,
        rst_after=2,
        hang_after=3,
        status=503,
        err_event=4,
        no_done=True,
        dup_done=True,
        split=7,
        crlf=True,
        comments=True,
        bad_gzip=True,
        set_cookie=True,
        echo_headers=True,
    )


@pytest.mark.parametrize("key", [field.name for field in fields(Directive)])
def test_every_key_is_explained_in_the_code_and_in_the_documentation(key):
    page = (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")
    for text in (page, directives.__doc__ or ""):
        assert f"`{key}`" in text or f"`{key}=" in text


def test_the_first_of_several_directives_counts():
    assert parse("[[sim tokens=1]] [[sim tokens=2]]").tokens == 1


@pytest.mark.parametrize(
    "body",
    [
        "token=1",
        "tokens",
        "tokens=many",
        "tokens=-1",
        "ttft=soon",
        "gap=-1",
        "gap=nan",
        "usage=most",
        "status=200",
        "status=99",
        "split=0",
        "err_event=-1",
        "die_after=-2",
        "no_done=1",
    ],
)
def test_an_unknown_key_or_a_bad_value_is_an_error(body):
    with pytest.raises(DirectiveError):
        parse(f"[[sim {body}]]")


def test_a_directive_that_is_not_closed_is_an_error():
    with pytest.raises(DirectiveError):
        parse("[[sim tokens=1] and so on")


def test_a_word_that_only_begins_like_a_directive_is_none():
    assert parse("[[simple]]") == NOTHING


def test_of_several_faults_the_earliest_happens():
    assert parse("[[sim rst_after=5 die_after=3 err_event=9]]").fault == Fault("die", 3)


def test_a_bad_directive_is_answered_with_400_and_says_what_is_wrong(sim):
    reply = sim.ask("[[sim tokns=5]]")
    assert (reply.status, reply.json["error"]["code"]) == (400, 400)
    assert "tokns" in reply.json["error"]["message"]


def test_only_the_last_user_message_is_read_for_a_directive(sim):
    messages = [
        {"role": "user", "content": "[[sim tokens=1]]"},
        {"role": "assistant", "content": "Yes."},
        {"role": "user", "content": [{"type": "text", "text": "[[sim tokens=2 gap=0]]"}]},
    ]
    assert sim.ask("", messages=messages).json["usage"]["completion_tokens"] == 2
