"""The official SDK is the reader that everybody has."""

from collections.abc import Iterator

import openai
import pytest

from tests.inference.simulator.recordings import recording

QUICK = "[[sim tokens=12 ttft=0 gap=1]]"
MESSAGES: list[openai.types.chat.ChatCompletionMessageParam] = [{"role": "user", "content": QUICK}]


@pytest.fixture
def sdk(sim) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{sim.url}/v1", api_key="any", max_retries=0) as client:
        yield client


def test_a_plain_completion(sdk):
    answer = sdk.chat.completions.create(model="sim", messages=MESSAGES)
    assert len(answer.choices[0].message.content.split(" ")) == 12
    assert answer.usage.completion_tokens == 12


def test_a_streamed_completion_with_usage(sdk):
    options = {"include_usage": True}
    with sdk.chat.completions.create(model="sim", messages=MESSAGES, stream=True, stream_options=options) as stream:
        chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == sdk.chat.completions.create(model="sim", messages=MESSAGES).choices[0].message.content
    assert chunks[-1].usage.completion_tokens == 12


def test_a_stream_in_odd_pieces_reads_the_same(sdk):
    odd: list[openai.types.chat.ChatCompletionMessageParam] = [
        {"role": "user", "content": "[[sim tokens=40 ttft=0 gap=0 split=1 crlf comments]]"}
    ]
    with sdk.chat.completions.create(model="sim", messages=odd, stream=True) as stream:
        assert sum(1 for chunk in stream if chunk.choices[0].delta.content) == 40


def test_a_legacy_completion(sdk):
    assert sdk.completions.create(model="sim", prompt=QUICK).choices[0].text


def test_models_are_listed(sdk):
    assert [model.id for model in sdk.models.list()] == ["sim"]


def test_errors_are_the_sdks_own(sdk):
    with pytest.raises(openai.NotFoundError):
        sdk.chat.completions.create(model="gpt-5", messages=MESSAGES)


def test_a_streamed_legacy_completion(sdk):
    with sdk.completions.create(model="sim", prompt=QUICK, stream=True) as stream:
        text = "".join(chunk.choices[0].text for chunk in stream)
    assert text == sdk.completions.create(model="sim", prompt=QUICK).choices[0].text


def test_embeddings_are_numbers_whatever_the_encoding(sdk):
    # Without `encoding_format` the SDK asks for base64 and unpacks it.
    packed = sdk.embeddings.create(model="sim", input="toll", dimensions=16).data[0].embedding
    plain = sdk.embeddings.create(model="sim", input="toll", dimensions=16, encoding_format="float").data[0].embedding
    assert packed == pytest.approx(plain, abs=1e-6)


def test_a_plain_response(sdk):
    answer = sdk.responses.create(model="sim", input=QUICK)
    assert len(answer.output_text.split(" ")) == 12
    assert answer.usage.output_tokens == 12


def test_a_streamed_response_adds_up(sdk):
    with sdk.responses.stream(model="sim", input="[[sim reasoning=2 tokens=12 ttft=0 gap=0]]") as stream:
        text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        final = stream.get_final_response()
    assert final.output_text == text
    assert final.usage.output_tokens_details.reasoning_tokens == 2


def test_tools_are_called_in_a_stream(sdk):
    tools: list[openai.types.chat.ChatCompletionToolParam] = [
        {"type": "function", "function": {"name": "toll", "parameters": {"type": "object", "properties": {}}}}
    ]
    asked: list[openai.types.chat.ChatCompletionMessageParam] = [
        {"role": "user", "content": "[[sim tools=1 ttft=0 gap=0]]"}
    ]
    with sdk.chat.completions.stream(model="sim", messages=asked, tools=tools) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.tool_calls[0].function.name == "toll"


def test_moderations(sdk):
    assert sdk.moderations.create(model="sim", input="violence").results[0].flagged


def test_a_transcription(sdk):
    answer = sdk.audio.transcriptions.create(model="sim", file=("a.wav", recording(1)), prompt=QUICK)
    assert len(answer.text.split(" ")) == 12


def test_a_translation(sdk):
    with pytest.deprecated_call():
        answer = sdk.audio.translations.create(model="sim", file=("a.wav", recording(1)), prompt=QUICK)
    assert len(answer.text.split(" ")) == 12


def test_speech(sdk):
    answer = sdk.audio.speech.create(model="sim", voice="alloy", input="Pay the toll.", response_format="wav")
    assert answer.content.startswith(b"RIFF")


def test_a_picture(sdk):
    answer = sdk.images.generate(model="sim", prompt="a gate", size="256x256")
    assert answer.data[0].b64_json
