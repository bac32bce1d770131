import pytest

from inference.simulator import prompts
from inference.simulator.refusals import Refused


def test_a_message_costs_four_tokens_and_one_for_each_four_bytes():
    assert prompts.of_messages([{"role": "user", "content": "12345"}]).tokens == 4 + 2


def test_bytes_count_not_letters():
    assert prompts.of_messages([{"role": "user", "content": "東京東京"}]).tokens == 4 + 3


def test_the_text_of_all_messages_is_rounded_up_once():
    messages = [{"role": "system", "content": "1"}, {"role": "user", "content": "2"}]
    assert prompts.of_messages(messages).tokens == 2 * 4 + 1


def test_a_part_that_is_no_text_costs_a_flat_number():
    parts = [{"type": "text", "text": "1234"}, {"type": "image_url", "image_url": {"url": "data:,"}}]
    assert prompts.of_messages([{"role": "user", "content": parts}]).tokens == 4 + 1 + prompts.IMAGE_TOKENS


def test_tool_calls_count_and_content_may_be_missing():
    called = {"role": "assistant", "content": None, "tool_calls": [{"id": "a"}]}
    assert prompts.of_messages([called]).tokens > prompts.of_messages([{"role": "assistant"}]).tokens


def test_the_instruction_is_the_last_users_message():
    messages = [
        {"role": "user", "content": "one"},
        {"role": "user", "content": "two"},
        {"role": "tool", "content": "x"},
    ]
    assert prompts.of_messages(messages).instruction == "two"


@pytest.mark.parametrize("messages", [None, [], "text", ["text"], [{}], [{"role": "user", "content": 5}]])
def test_messages_of_another_shape_are_refused(messages):
    with pytest.raises(Refused):
        prompts.of_messages(messages)


@pytest.mark.parametrize(
    ("prompt", "tokens"),
    [("12345", [2]), (["1234", "12345678"], [1, 2]), ([5, 6, 7], [3]), ([[5], [6, 7]], [1, 2])],
)
def test_a_completion_takes_texts_and_token_ids(prompt, tokens):
    assert [one.tokens for one in prompts.of_completion(prompt)] == tokens


@pytest.mark.parametrize("prompt", [None, [], 5, [[]], ["text", 5]])
def test_a_completion_without_a_prompt_is_refused(prompt):
    with pytest.raises(Refused):
        prompts.of_completion(prompt)
