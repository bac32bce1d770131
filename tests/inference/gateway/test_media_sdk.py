"""OpenAI's own client hears, speaks and draws through a whole installation."""

import openai
import pytest

from billing import prices
from inference.models import Deployment, Model, Pool
from inference.publishing import catalogue_changed
from tenants.audit import Actor
from tests.inference.gateway.media import CHARACTER, IMAGE, RATES, SECOND, WAV, directive

QUICK = directive("tokens=5")
BREAKS = directive("tokens=5 die_after=2")


@pytest.fixture(scope="module")
def media(installation):
    """The simulated engines under a name that is sold by the second, the character and the picture."""
    with installation.django():
        model = Model.objects.create(id="media", owned_by="turnpike", context_length=8192, max_output_tokens=4096)
        Deployment.objects.create(model=model, pool=Pool.objects.get(name="simulator"), upstream_name="sim")
        prices.publish(model="media", components=RATES, actor=Actor.system("tests"))
        catalogue_changed()
    yield installation
    with installation.django():
        model.deployments.all().delete()
        Model.objects.filter(pk="media").update(enabled=False)
        catalogue_changed()


@pytest.fixture
def tenant(media):
    return media.organization()


@pytest.fixture
def sdk(tenant):
    with openai.OpenAI(base_url=tenant.base_url, api_key=tenant.api_key, max_retries=0) as client:
        yield client


def charged(installation, tenant):
    """All that an organisation paid, oldest first."""
    query = "SELECT unit, quantity, cost_nusd FROM billing_usagerecord WHERE organization_id = %s ORDER BY request_id"
    return installation.sql(query, tenant.id)


def test_the_sdk_hears_speaks_and_draws(media, tenant, sdk):
    hear = sdk.audio.transcriptions.create
    heard = hear(model="media", file=WAV, prompt=QUICK)
    assert len(heard.text.split()) == 5
    assert hear(model="media", file=WAV, prompt=QUICK, response_format="text").strip() == heard.text
    timed = hear(
        model="media",
        file=WAV,
        prompt=QUICK,
        response_format="verbose_json",
        timestamp_granularities=["word"],
    )
    assert len(timed.words) == 5
    events = list(hear(model="media", file=WAV, prompt=QUICK, stream=True))
    assert (events[-1].type, events[-1].text) == ("transcript.text.done", heard.text)
    with pytest.deprecated_call():
        assert sdk.audio.translations.create(model="media", file=WAV, prompt=QUICK).text == heard.text
    spoken = sdk.audio.speech.create(model="media", voice="alloy", input=QUICK, response_format="wav")
    assert spoken.content.startswith(b"RIFF")
    assert len(sdk.images.generate(model="media", prompt=QUICK, n=2, size="16x16").data) == 2
    assert charged(media, tenant) == [
        *[("seconds", 2, 2 * SECOND)] * 5,
        ("characters", len(QUICK), len(QUICK) * CHARACTER),
        ("images", 2, 2 * IMAGE),
    ]
    assert media.verify_ledger() == []


def test_a_file_that_breaks_is_never_taken_for_a_whole_one(media, tenant, sdk):
    with pytest.raises(openai.APIConnectionError):
        sdk.audio.speech.create(model="media", voice="alloy", input=BREAKS, response_format="wav")
    assert charged(media, tenant) == [("characters", len(BREAKS), 0)]
