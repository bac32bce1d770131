"""Organisations to try the platform with, on a running installation."""

import pytest
from openai import APIStatusError, OpenAI

QUESTION = [{"role": "user", "content": "[[sim tokens=3 ttft=1 gap=1]] What is the capital of France?"}]


def ask(tenant):
    client = OpenAI(api_key=tenant.api_key, base_url=tenant.base_url, max_retries=0)
    with client:
        return client.chat.completions.create(model="sim", messages=QUESTION)


def test_a_founded_organisation_can_call_and_is_charged(installation):
    acme = installation.organization(credit="1")
    answer = ask(acme)
    assert answer.usage.completion_tokens == 3
    [(cost, model)] = installation.sql(
        "SELECT cost_nusd, model FROM billing_usagerecord WHERE organization_id = %s", acme.id
    )
    [(posted, held)] = installation.sql(
        "SELECT posted_nusd, held_nusd FROM billing_purse WHERE organization_id = %s", acme.id
    )
    assert model == "sim"
    assert (posted, held) == (1_000_000_000 - cost, 0)
    assert not installation.verify_ledger()


def test_limits_of_a_founded_organisation_hold(installation):
    acme = installation.organization(rpm=0)
    with pytest.raises(APIStatusError) as refusal:
        ask(acme)
    assert refusal.value.status_code == 429
