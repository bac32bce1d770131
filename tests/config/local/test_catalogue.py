"""What the demo engines offer, and where."""

import pytest

from billing import prices
from billing.models import Price
from config.local import catalogue
from config.local.engines import Kind, model_of
from inference.models import Deployment, Model, Replica

pytestmark = pytest.mark.django_db

MODEL_URL = "http://127.0.0.1:8100"
SIMULATOR_URLS = ["http://127.0.0.1:8101", "http://127.0.0.1:8102"]


def urls():
    return sorted(Replica.objects.values_list("url", flat=True))


def offered():
    return sorted(Model.objects.filter(enabled=True).values_list("id", flat=True))


@pytest.mark.parametrize("kind", catalogue.OFFERS)
def test_each_kind_of_engine_offers_its_models_with_prices(kind: Kind):
    catalogue.offer(kind, [MODEL_URL])
    assert offered()[0] == model_of(kind)
    assert offered() == sorted(one.id for one in catalogue.offers(kind))
    assert all(prices.current(name) for name in offered())


def test_the_simulator_has_a_model_for_whatever_it_does():
    catalogue.offer(Kind.SIMULATOR, SIMULATOR_URLS)
    made = {one.id: (one.input_modalities, one.output_modalities) for one in Model.objects.all()}
    assert {kind for _, makes in made.values() for kind in makes} == {"text", "embeddings", "scores", "audio", "image"}
    assert made["sim-transcribe"] == (["audio"], ["text"])
    assert set(Deployment.objects.values_list("upstream_name", flat=True)) == {"sim"}


def test_another_engine_takes_the_place_of_the_first():
    catalogue.offer(Kind.MODEL, [MODEL_URL])
    catalogue.offer(Kind.SIMULATOR, SIMULATOR_URLS)
    assert (offered()[0], urls()) == ("sim", SIMULATOR_URLS)


def test_a_start_on_another_port_moves_the_replica_and_forgets_its_failures():
    catalogue.offer(Kind.SIMULATOR, SIMULATOR_URLS)
    Replica.objects.update(state=Replica.State.UNHEALTHY, failures=3)
    catalogue.offer(Kind.SIMULATOR, [SIMULATOR_URLS[0], MODEL_URL])
    assert urls() == [MODEL_URL, SIMULATOR_URLS[0]]
    assert set(Replica.objects.values_list("state", "failures")) == {("unknown", 0)}


def test_what_an_operator_changed_stays_changed():
    catalogue.offer(Kind.MODEL, [MODEL_URL])
    Model.objects.update(display_name="Ours")
    catalogue.offer(Kind.MODEL, [MODEL_URL])
    assert Model.objects.get().display_name == "Ours"
    assert Price.objects.get().version == 1
