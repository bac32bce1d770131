"""Organisations to try the platform with, on a running installation."""

from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from openai import APIStatusError, OpenAI

from config.local import demo, environment
from keys.models import ScopeLimits
from tenants import isolation
from tenants.models import Organization, User

QUESTION = "[[sim tokens=3 ttft=1 gap=1]] What is the capital of France?"


def ask(api_key, base_url):
    with OpenAI(api_key=api_key, base_url=base_url, max_retries=0) as client:
        return client.chat.completions.create(model="sim", messages=[{"role": "user", "content": QUESTION}])


def make(*options):
    printed = StringIO()
    call_command("demo", *options, stdout=printed)
    return environment.parse(printed.getvalue())


def test_a_founded_organisation_can_call_and_is_charged(installation):
    acme = installation.organization(credit="1")
    answer = ask(acme.api_key, installation.base_url)
    assert answer.usage.completion_tokens == 3
    [(cost,)] = installation.sql("SELECT cost_nusd FROM billing_usagerecord WHERE organization_id = %s", acme.id)
    wallet = "SELECT posted_nusd, held_nusd FROM billing_purse WHERE organization_id = %s"
    assert installation.sql(wallet, acme.id) == [(1_000_000_000 - cost, 0)]
    assert not installation.verify_ledger()


def test_a_limit_of_zero_blocks(installation):
    acme = installation.organization(rpm=0)
    with pytest.raises(APIStatusError) as refusal:
        ask(acme.api_key, installation.base_url)
    assert refusal.value.status_code == 429


def test_the_command_prints_lines_that_work(installation):
    with installation.django():
        lines = make("--organization", "Globex", "--credit", "0.05")
    assert ask(lines["OPENAI_API_KEY"], installation.base_url).choices
    assert {"TURNPIKE_MANAGEMENT_KEY", "DEMO_EMAIL", "DEMO_PASSWORD", "DATABASE_URL", "REDIS_URL"} <= lines.keys()


@pytest.mark.django_db
def test_a_name_that_is_taken_gets_a_number():
    slugs = [demo.found(name="Acme & Sons", credit=Decimal(0)).organization.slug for _ in range(2)]
    assert slugs == ["acme-sons", "acme-sons-2"]


@pytest.mark.django_db
def test_the_command_gives_the_organisation_its_limits():
    make("--organization", "acme", "--rpm", "0", "--budget", "1.5", "--window", "5h", "--models", "a,b")
    limits = ScopeLimits.objects.get(organization__slug="acme")
    assert (limits.rpm, limits.tpm, limits.budget_nusd, limits.budget_window) == (0, None, 1_500_000_000, "5h")
    assert limits.allowed_models == ["a", "b"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "options", [("--credit", "-1"), ("--credit", "1e-10"), ("--rpm", "many"), ("--budget", "1"), ("--window", "5h")]
)
def test_the_command_refuses_nonsense(options: tuple[str, ...]):
    with pytest.raises(CommandError):
        make(*options)
    assert not Organization.objects.exists()


@pytest.mark.django_db
def test_the_first_organisation_stays_the_same_at_every_start():
    first = demo.found_first({})
    assert demo.found_first(first) == first
    assert Organization.objects.get().slug == demo.FIRST


@pytest.mark.django_db
def test_lost_secrets_of_the_first_organisation_are_replaced():
    lost = demo.found_first({})
    again = demo.found_first({})
    assert again["OPENAI_API_KEY"] != lost["OPENAI_API_KEY"]
    assert User.objects.get(email=again["DEMO_EMAIL"]).check_password(again["DEMO_PASSWORD"])


@pytest.mark.django_db
def test_the_operator_is_above_every_organisation():
    demo.found_first({})
    operator = User.objects.get(email=demo.OPERATOR)
    assert operator.is_staff
    assert operator.is_superuser
    with isolation.everything():
        assert not operator.memberships.exists()
