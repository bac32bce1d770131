"""What is on offer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from foundation import clock
from inference import offers
from inference.models import Deployment, Model, Pool, Replica
from inference.offers import Availability, availability
from tests.api import world


@pytest.mark.parametrize(
    ("states", "judged"),
    [
        ([], Availability.UNAVAILABLE),
        (["healthy"], Availability.OPERATIONAL),
        (["healthy", "draining", "unknown"], Availability.OPERATIONAL),
        (["healthy", "unhealthy"], Availability.DEGRADED),
        (["unknown", "unhealthy"], Availability.STARTING),
        (["unhealthy"], Availability.UNAVAILABLE),
        (["draining"], Availability.UNAVAILABLE),
    ],
)
def test_a_model_is_judged_by_its_replicas(states, judged):
    assert availability(states) is judged


@pytest.mark.django_db
def test_models_that_are_hidden_or_gone_are_not_on_offer():
    now = clock.now()
    sorts: dict[str, dict[str, Any]] = {
        "now": {},
        "ending": {"sunset_at": now + timedelta(days=1)},
        "gone": {"sunset_at": now - timedelta(days=1)},
        "hidden": {"enabled": False},
    }
    for name, facts in sorts.items():
        Model.objects.create(id=name, display_name=name, context_length=1, max_output_tokens=1, **facts)
    assert [model.pk for model in offers.models()] == ["ending", "now"]


@pytest.mark.django_db
def test_an_offer_has_the_price_in_force_and_all_pools_count():
    model = world.offer("sim", Replica.State.UNHEALTHY)
    world.offer("other")
    [offer] = offers.of([model])
    assert (offer.price.version, offer.availability) == (1, Availability.UNAVAILABLE)
    spare = Pool.objects.create(name="spare", engine=Pool.Engine.VLLM)
    Deployment.objects.create(model=model, pool=spare, upstream_name="sim")
    Replica.objects.create(pool=spare, url="http://127.0.0.1:2", state=Replica.State.HEALTHY)
    assert offers.of([model])[0].availability is Availability.DEGRADED
    Pool.objects.filter(pk=spare.pk).update(enabled=False)
    assert offers.of([model])[0].availability is Availability.UNAVAILABLE


@pytest.mark.django_db
def test_a_model_is_offered_where_it_reads_and_makes_what_the_endpoint_does():
    [text] = offers.of([world.offer("sim")])
    assert {"/v1/chat/completions", "/v1/messages"} <= set(text.endpoints)
    assert "/v1/embeddings" not in text.endpoints
    text.model.output_modalities = ["embeddings"]
    [vectors] = offers.of([text.model])
    assert vectors.endpoints == ("/v1/embeddings",)
    Pool.objects.update(engine=Pool.Engine.ANTHROPIC)
    assert offers.of([text.model])[0].endpoints == ()


@pytest.mark.django_db
def test_a_model_without_a_price_is_offered_nowhere():
    model = Model.objects.create(id="new", display_name="New", context_length=1, max_output_tokens=1)
    assert offers.of([model])[0].endpoints == ()


@pytest.mark.django_db
def test_many_offers_cost_few_queries(django_assert_max_num_queries):
    for number in range(5):
        world.offer(f"sim-{number}")
    with django_assert_max_num_queries(5):
        assert len(offers.of(offers.models())) == 5
