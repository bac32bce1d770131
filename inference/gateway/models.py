"""GET /v1/models: the catalogue as the caller may use it, in OpenAI's shape or in Anthropic's, from memory."""

from __future__ import annotations

from typing import Any

import orjson

from billing.rates import in_force
from foundation import clock
from foundation.web import send_json
from inference.gateway import model_pages
from inference.gateway.answers import identity
from inference.gateway.catalogue import Model
from inference.gateway.endpoints import Services
from inference.gateway.errors import ModelNotFound
from inference.gateway.offering import endpoints
from inference.gateway.orders import Http
from inference.gateway.surfaces.router import speaks_anthropic, spoken
from keys.verification import Caller


async def list_models(services: Services, http: Http) -> None:
    """Serve GET /v1/models: what this key may use and what can be paid for."""
    caller = await _caller(services, http)
    now = clock.now()
    models = [
        model
        for model in services.catalogue.models
        if caller.allows(model.id) and model.prices and (model.sunset_at is None or model.sunset_at > now)
    ]
    if speaks_anthropic(http.scope):
        await _answer(http, model_pages.page(models, http.scope["query_string"]))
    else:
        await _answer(http, {"object": "list", "data": [_as_openai(model) for model in models]})


async def retrieve_model(services: Services, http: Http, name: str) -> None:
    """Serve GET /v1/models/{id}. A model that the key may not use looks like one that is not there."""
    caller = await _caller(services, http)
    model = services.catalogue.find(name, clock.now())
    if not caller.allows(model.id):
        raise ModelNotFound(f"The model {name[:128]!r} does not exist.", param="model")
    await _answer(http, model_pages.shape(model) if speaks_anthropic(http.scope) else _as_openai(model))


async def _caller(services: Services, http: Http) -> Caller:
    return await services.directory.caller(services.directory.credential(http.scope["headers"]))


async def _answer(http: Http, value: dict[str, Any]) -> None:
    headers = identity(spoken(http.scope), http.public_id)
    await send_json(http.send, 200, orjson.dumps(value), headers)


def _as_openai(model: Model) -> dict[str, Any]:
    return {
        "id": model.id,
        "object": "model",
        "created": model.created,
        "owned_by": model.owned_by,
        "display_name": model.display_name,
        "context_length": model.context_length,
        "max_output_tokens": model.max_output_tokens,
        "input_modalities": model.input_modalities,
        "output_modalities": model.output_modalities,
        "endpoints": endpoints(
            model.input_modalities,
            model.output_modalities,
            ((route.pool.engine, route.template) for route in model.routes),
            in_force(model.prices, clock.now()),
        ),
    }
