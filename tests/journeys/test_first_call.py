"""From signing up to the statement: what a new customer does, and what is on record in the end."""

import re

import openai
import pytest
from django.urls import reverse
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionStreamOptionsParam

from foundation.money import NANO, display
from tenants.models import User
from tests.faults.servers import serving
from tests.installation import MODELS
from tests.journeys.visitor import Visitor

PASSWORD = "correct-horse-battery-staple"
QUESTION: list[ChatCompletionMessageParam] = [
    {"role": "user", "content": "What is the capital of France? [[sim ttft=1 gap=1 tokens=12]]"}
]
CREDIT = NANO // 100


@pytest.fixture(scope="module")
def server(installation):
    """A server where strangers may sign up."""
    with serving(installation, 1, SIGNUP_OPEN="true") as (server,):
        yield server


def test_from_signing_up_to_the_statement(installation, server):
    with Visitor(server) as ada:
        sign_up(ada)
        secret = make_key(ada)
        with openai.OpenAI(base_url=server.base_url, api_key=secret, max_retries=0) as client:
            with pytest.raises(openai.APIStatusError) as refused:
                plain(client)
            assert (refused.value.status_code, refused.value.code) == (402, "insufficient_credit")
            grant_credit(installation, server, "0.01")
            answers = {plain(client), stream(client), stream(client, include_usage=True)}
            assert len(answers) == 1, "to the same question the simulator says the same"
            assert [model.id for model in client.models.list()] == MODELS
            assert client.models.retrieve("sim").owned_by == "turnpike"

        usage = ada.json("/api/v1/usage")["data"]
        assert [(record["outcome"], record["completion_tokens"]) for record in usage] == [("complete", 12)] * 3
        assert [record["streamed"] for record in usage] == [True, True, False]
        spent = [record["cost_nano_usd"] for record in usage]
        left = ada.json("/api/v1/wallet")["posted_nano_usd"]
        assert left == CREDIT - sum(spent) < CREDIT
        assert display(left) in ada.open("/app/").text

    entries = statement(installation)
    assert entries[0] == ("adjustment", CREDIT, None)
    assert {txn: -amount for _, amount, txn in entries[1:]} == {
        record["transaction"]: cost for record, cost in zip(usage, spent, strict=True)
    }
    assert installation.verify_ledger() == []


def sign_up(person: Visitor) -> None:
    person.submit(
        "/accounts/signup/",
        name="Ada Lovelace",
        organization="Ada Engines",
        email="ada@engines.example",
        password1=PASSWORD,
        password2=PASSWORD,
    )


def make_key(person: Visitor) -> str:
    """Make a key on the pages, and copy its secret from the one page that shows it."""
    form = "/app/ada-engines/keys/new/"
    project = re.search(r'<select name="project".*?<option value="([^"]+)"', person.open(form).text, re.DOTALL)
    assert project
    page = person.submit(form, name="My first key", project=project[1], lifetime="never")
    (secret,) = set(re.findall(r"tpk_live_\w+", page.text))
    assert secret not in person.open("/app/ada-engines/keys/").text
    return secret


def grant_credit(installation, server, amount: str) -> None:
    """Put money into Ada's wallet as an operator does: by the action on her organization."""
    with installation.django():
        User.objects.create_superuser("olu@turnpike.example", PASSWORD)
    ((organization,),) = installation.sql("SELECT id FROM tenants_organization WHERE slug = 'ada-engines'")
    with Visitor(server) as olu:
        olu.submit("/accounts/login/", login="olu@turnpike.example", password=PASSWORD)
        page = reverse("admin:tenants_organization_adjust_credit", args=[organization])
        olu.submit(page, amount=amount, reason="A gift to begin with")


def plain(client: openai.OpenAI) -> str | None:
    answer = client.chat.completions.create(model="sim", messages=QUESTION, max_tokens=100)
    return answer.choices[0].message.content


def stream(client: openai.OpenAI, *, include_usage: bool = False) -> str:
    options: ChatCompletionStreamOptionsParam = {"include_usage": include_usage}
    chunks = list(
        client.chat.completions.create(
            model="sim", messages=QUESTION, max_tokens=100, stream=True, stream_options=options
        )
    )
    assert (chunks[-1].usage is not None) is include_usage
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def statement(installation) -> list[tuple[str, int, str | None]]:
    """Return what moved Ada's wallet, oldest first; what was used, with the transaction's public id."""
    query = """
        SELECT e.kind, e.amount_nusd, CASE e.kind WHEN 'usage' THEN e.txn END
        FROM audit_entry e JOIN tenants_organization o ON o.slug = 'ada-engines'
        WHERE e.account = 'wallet:' || turnpike_public_id('org', o.id) ORDER BY e.at
    """
    return installation.sql(query)
