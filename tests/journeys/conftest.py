"""An organisation that a module has for itself, and OpenAI's SDK with its key."""

from collections.abc import Iterator

import openai
import pytest


@pytest.fixture(scope="module")
def acme(installation):
    return installation.organization()


@pytest.fixture(scope="module")
def sdk(acme) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=acme.base_url, api_key=acme.api_key, max_retries=0) as sdk:
        yield sdk
