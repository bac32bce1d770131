"""The pages of models, prices, pools and replicas: changes are audited, and the gateways hear of them."""

from decimal import Decimal

import pytest
import redis

from billing import prices
from billing.models import Price
from inference.gateway.news import CATALOGUE_CHANNEL
from inference.models import Deployment, Model, Pool, Replica
from tenants.models import AuditEvent
from tests.admin.cast import address, text
from tests.console.cast import offer

NO_PARTS = {"deployments-TOTAL_FORMS": "0", "deployments-INITIAL_FORMS": "0"}
MODEL = {
    "id": "tiny-2",
    "display_name": "Tiny 2",
    "owned_by": "us",
    "enabled": "on",
    "context_length": "8192",
    "max_output_tokens": "1024",
    "input_modalities": "text, image",
    "output_modalities": "text",
    "aliases": "tiny-latest, tiny",
    "tags": "",
    **NO_PARTS,
}


@pytest.fixture
def heard(settings, valkey, django_capture_on_commit_callbacks):
    """Return how often the gateways are told of a change while something is done."""
    channel = redis.Redis.from_url(settings.REDIS_URL).pubsub(ignore_subscribe_messages=True)
    channel.subscribe(CATALOGUE_CHANNEL)
    # The first message is the confirmation, which is swallowed.
    channel.get_message(timeout=2)

    def heard(do):
        with django_capture_on_commit_callbacks(execute=True):
            answer = do()
        count = 0
        while channel.get_message(timeout=0.2) is not None:
            count += 1
        return answer, count

    yield heard
    channel.close()


def test_a_model_is_added_audited_and_told(olu, operator, heard):
    answer, count = heard(lambda: olu.post(address(Model, "add"), MODEL))
    assert answer.status_code == 302
    model = Model.objects.get()
    assert model.input_modalities == ["text", "image"]
    assert model.aliases == ["tiny-latest", "tiny"]
    event = AuditEvent.objects.get(action="model.added")
    assert (event.actor_label, event.target_id) == (operator.email, "tiny-2")
    assert count == 1


def test_a_change_names_the_fields_and_what_was_deployed(olu, heard):
    offer("tiny")
    other = Pool.objects.create(name="other", engine="vllm")
    form = {
        **MODEL,
        "display_name": "Renamed",
        "deployments-TOTAL_FORMS": "2",
        "deployments-INITIAL_FORMS": "1",
        "deployments-0-id": str(Deployment.objects.get().pk),
        "deployments-0-model": "tiny",
        "deployments-0-pool": str(Pool.objects.get(name="pool-tiny").pk),
        "deployments-0-upstream_name": "upstream/tiny",
        "deployments-0-weight": "1",
        "deployments-1-model": "tiny",
        "deployments-1-pool": str(other.pk),
        "deployments-1-upstream_name": "there/tiny",
        "deployments-1-weight": "3",
    }
    answer, count = heard(lambda: olu.post(address(Model, "change", "tiny"), form))
    assert answer.status_code == 302
    assert Deployment.objects.get(pool=other).weight == 3
    fields = AuditEvent.objects.get(action="model.changed").facts["fields"]
    assert "display_name" in fields
    assert "deployment tiny on other" in fields
    assert count == 1


def test_the_id_of_a_model_stays(olu):
    offer("tiny")
    olu.post(address(Model, "change", "tiny"), {**MODEL, "id": "evil"})
    assert Model.objects.get().id == "tiny"


def test_deleting_a_model_is_audited_and_told(olu, heard):
    offer("tiny")
    _, count = heard(lambda: olu.post(address(Model, "delete", "tiny"), {"post": "yes"}))
    assert not Model.objects.exists()
    assert AuditEvent.objects.get(action="model.deleted").facts == {"name": "tiny"}
    assert count == 1


def test_an_operator_drains_a_replica(olu, heard):
    offer("tiny")
    replica = Replica.objects.get()
    form = {"pool": str(replica.pool_id), "url": replica.url, "state": "draining"}
    _, count = heard(lambda: olu.post(address(Replica, "change", replica.pk), form))
    replica.refresh_from_db()
    assert replica.state == Replica.State.DRAINING
    assert AuditEvent.objects.get(action="replica.changed").facts["fields"] == ["state"]
    assert count == 1


def test_what_the_prober_says_cannot_be_typed(olu):
    offer("tiny")
    replica = Replica.objects.get()
    form = {"pool": str(replica.pool_id), "url": replica.url, "state": "healthy", "failures": "99"}
    olu.post(address(Replica, "change", replica.pk), form)
    replica.refresh_from_db()
    assert replica.failures == 0


def test_publishing_a_price_adds_a_version_and_tells(olu, operator, heard):
    offer("tiny")
    form = {"model": "tiny", "input": "0.2", "output": "0.7", "cached_input": "0"}
    answer, count = heard(lambda: olu.post(address(Price, "add"), form))
    assert answer.status_code == 302
    price = prices.current("tiny")
    assert price.version == 2
    rates = {component.kind: component.usd_per_million for component in price.components.all()}
    assert rates == {"input": Decimal("0.2"), "cached_input": Decimal(0), "output": Decimal("0.7")}
    assert AuditEvent.objects.filter(action="price.published", actor_label=operator.email).exists()
    assert count == 1


def test_prices_are_entered_and_shown_by_the_minute_and_the_image(olu):
    offer("tiny")
    form = {"model": "tiny", "seconds": "0.006", "images": "0.04", "characters": "15", "requests": "0.001"}
    assert olu.post(address(Price, "add"), form).status_code == 302
    rates = {component.kind: component.usd_per_million for component in prices.current("tiny").components.all()}
    assert rates == {"seconds": 100, "images": 40_000, "characters": 15, "requests": 1000}
    shown = text(olu.get(address(Price, "changelist")))
    assert "$0.001 per request, $15 per million characters, $0.006 per minute, $0.04 per image" in shown


def test_a_price_can_start_later_or_be_nothing_at_all(olu):
    offer("tiny")
    later = {"effective_from_0": "2099-01-01", "effective_from_1": "00:00"}
    assert olu.post(address(Price, "add"), {"model": "tiny", "free": "on", **later}).status_code == 302
    assert Price.objects.get(version=2).effective_from.year == 2099
    assert prices.current("tiny").version == 1


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, "A price has rates, or is free"),
        ({"free": "on", "input": "1"}, "A price has rates, or is free"),
        ({"input": "-1"}, "greater than or equal to 0"),
        ({"input": "0.0000000001"}, "decimal places"),
        ({"input": "0", "output": "0", "requests": "1000"}, "less than 1,000,000,000"),
        ({"input": "1"}, "needs a rate for input and one for output"),
        ({"output": "1", "cached_input": "1"}, "needs a rate for input and one for output"),
        ({"requests": "0.1"}, "needs a rate for input and one for output"),
        ({"model": "nothing", "input": "1"}, "Select a valid choice"),
    ],
)
def test_a_price_that_makes_no_sense_is_not_published(olu, fields, problem):
    offer("tiny")
    answer = olu.post(address(Price, "add"), {"model": "tiny", **fields})
    assert answer.status_code == 422
    assert problem in text(answer)
    assert Price.objects.count() == 1


def test_a_model_that_only_reads_needs_no_rate_for_output(olu):
    offer("tiny")
    Model.objects.update(output_modalities=["embeddings"])
    assert olu.post(address(Price, "add"), {"model": "tiny", "input": "0.1"}).status_code == 302
    assert prices.current("tiny").version == 2


def test_a_model_without_a_price_is_marked_in_the_list(olu):
    offer("tiny", price=False)
    assert "none: cannot be called" in text(olu.get(address(Model, "changelist")))
    assert "tiny has no price, so it cannot be called" in text(olu.get("/admin/"))


def test_a_pool_shows_how_many_replicas_answer(olu):
    offer("up")
    offer("down", state=Replica.State.UNHEALTHY)
    page = text(olu.get(address(Pool, "changelist")))
    assert "all up" in page
    assert "none up" in page
