"""Messages become the text that a family of models was trained on."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from foundation.errors import InvalidRequest
from inference.gateway.engines.templates import NAMED, Message, check_template, ends, prompt
from inference.gateway.errors import UpstreamError
from inference.models.fleet import check_chat_template

TALK: list[Message] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "text", "text": "!"}]},
    {"role": "assistant", "content": "Hello."},
    {"role": "user", "content": "{{ 7 * 7 }}"},
]
# As the families' model cards have them, without the token that a text begins with.
GOLDEN = {
    "chatml": (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi!<|im_end|>\n"
        "<|im_start|>assistant\nHello.<|im_end|>\n<|im_start|>user\n{{ 7 * 7 }}<|im_end|>\n<|im_start|>assistant\n"
    ),
    "llama3": (
        "<|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nHi!<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\nHello.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\n{{ 7 * 7 }}<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
    ),
    "mistral": "[INST] Be brief.\n\nHi! [/INST] Hello.</s>[INST] {{ 7 * 7 }} [/INST]",
    "gemma": (
        "<start_of_turn>user\nBe brief.\n\nHi!<end_of_turn>\n<start_of_turn>model\nHello.<end_of_turn>\n"
        "<start_of_turn>user\n{{ 7 * 7 }}<end_of_turn>\n<start_of_turn>model\n"
    ),
}


@pytest.mark.parametrize("name", NAMED)
def test_a_named_template_writes_what_the_family_reads(name):
    assert prompt(name, TALK) == GOLDEN[name]
    assert ends(name)[0] in GOLDEN[name] or name == "mistral"


def test_an_operator_may_give_the_models_own():
    own = "{% for m in messages %}\n<{{ m['role'] }}>{{ m['content'] | trim }}\n{% endfor %}{{ eos_token }}"
    check_template(own)
    assert prompt(own, TALK[:1]) == "<system>Be brief.\n"
    assert ends(own) == ()


def test_operators_are_told_what_is_wrong_with_a_template():
    check_chat_template("chatml")
    with pytest.raises(ValidationError, match="Known are chatml, llama3, mistral, gemma"):
        check_chat_template("vicuna")


@pytest.mark.parametrize("value", ["llama2", "{% for m in %}", "{{ unclosed"])
def test_what_is_no_template_is_refused_where_it_is_entered(value):
    with pytest.raises(ValueError, match="template"):
        check_template(value)


@pytest.mark.parametrize(
    "message",
    [
        {"role": "tool", "content": "4", "tool_call_id": "a"},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "a"}]},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]},
    ],
)
def test_what_no_text_can_say_is_refused_by_name(message):
    with pytest.raises(InvalidRequest) as refusal:
        prompt("chatml", [message])
    assert refusal.value.param.startswith("messages[0]")


def test_messages_that_a_template_has_no_place_for_are_the_callers_fault():
    with pytest.raises(InvalidRequest, match="no place"):
        prompt("{{ raise_exception('secret') }}", TALK)


@pytest.mark.parametrize(
    "own",
    [
        "{{ messages.__class__.__mro__ }}",
        "{{ nothing.there }}",
        "{{ messages.append(1) }}",
        "{{ range(10**9) | list }}",
    ],
)
def test_a_template_that_reaches_out_of_its_box_is_a_fault_of_ours(own):
    with pytest.raises(UpstreamError):
        prompt(own, TALK)
