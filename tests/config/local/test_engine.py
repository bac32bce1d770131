"""The small model, for real."""

import os
import time

import httpx
import pytest
from openai import OpenAI

from config.local import engine, engines, processes


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    [replica] = engines.replicas(engines.Kind.MODEL, near=18_100, env=os.environ)
    here = tmp_path_factory.mktemp("engine")
    child = processes.start(replica.program, logs=here, run=here)
    processes.wait_until_ready(child, replica.ready, seconds=60, pause=time.sleep)
    yield replica.url
    child.stop()


@pytest.fixture
def ask(model):
    with OpenAI(base_url=f"{model}/v1", api_key="none") as client:
        yield lambda question, **options: client.chat.completions.create(
            model=engine.MODEL, messages=[{"role": "user", "content": question}], max_tokens=32, **options
        )


def test_it_knows_the_capital_of_france(ask):
    answers = {ask("What is the capital of France?").choices[0].message.content for _ in range(5)}
    assert all("Paris" in answer for answer in answers)


def test_it_streams_and_counts(ask):
    chunks = list(ask("Say hello.", stream=True, stream_options={"include_usage": True}))
    assert len(chunks) > 3
    assert chunks[-1].usage.completion_tokens > 1


def test_it_shows_its_metrics_but_no_slots_and_no_page(model):
    assert "llamacpp:tokens_predicted_total" in httpx.get(f"{model}/metrics").text
    assert httpx.get(f"{model}/slots").status_code >= 400
    assert httpx.get(f"{model}/").status_code >= 400
