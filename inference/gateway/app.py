"""The door of `/v1`: raw ASGI in, the right endpoint, one place where errors become answers.

Chat and its kind never enter Django (architecture §2): Django's handler costs a thread for each open request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import psycopg

from billing.holds import Holds
from billing.settlement import Settlements
from foundation import ids, logs, metrics
from foundation.errors import (
    ClientGone,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    PlatformError,
    RequestTooLarge,
    UnsupportedMediaType,
)
from foundation.stores import Postgres, valkey
from foundation.web import Receive, Scope, Send, single
from inference.gateway import answers
from inference.gateway.addresses import Addresses, Network
from inference.gateway.admission import Admission
from inference.gateway.admitting import Admitting
from inference.gateway.catalogue import Catalogue
from inference.gateway.endpoints import CHAT, Services, chat_completions
from inference.gateway.idempotency import Idempotency
from inference.gateway.keeping import Keeper
from inference.gateway.learning import Experience
from inference.gateway.models import list_models, retrieve_model
from inference.gateway.news import News
from inference.gateway.orders import Http, Ordering
from inference.gateway.relay import Relay
from inference.gateway.routing import Balance
from inference.gateway.settling import Settling
from inference.gateway.upstream import Upstream
from keys.finer import LIMITS_OF_SUBJECTS, FinerLimits
from keys.verification import KEY_BY_DIGEST, KeyDirectory

log = logs.get(__name__)

MOST_HEADERS = 100
MOST_HEADER_BYTES = 8 * 1024
MOST_HEAD_BYTES = 32 * 1024
MODELS = "/v1/models"
# What a settlement gets after the end of a drain.
SETTLING_SECONDS = 2.0
POSTS: dict[str, tuple[str, Callable[[Services, Http], Awaitable[None]]]] = {
    "/v1/chat/completions": (CHAT, chat_completions),
}


@dataclass(frozen=True, slots=True)
class Options:
    """What a gateway process is told by the settings."""

    database_url: str
    valkey_url: str
    pepper: bytes
    hold_lease_seconds: float
    concurrency_lease_seconds: float
    processes: int
    valkey_timeout_ms: int
    trusted_proxies: Sequence[Network] = ()
    hold_slices: bool = False


class Gateway:
    """One process's gateway; `config.asgi` builds it, starts it and sends it every request of `/v1`."""

    def __init__(self, options: Options) -> None:
        self._postgres = Postgres(options.database_url)
        self._valkey = valkey(options.valkey_url)
        self._admission = admission = Admission(
            self._valkey,
            lease_seconds=options.concurrency_lease_seconds,
            processes=options.processes,
            timeout_seconds=options.valkey_timeout_ms / 1000,
        )
        self._holds = holds = Holds(
            self._postgres,
            options.hold_lease_seconds,
            with_slices=options.hold_slices,
            processes=options.processes,
        )
        renew_seconds = min(options.hold_lease_seconds, options.concurrency_lease_seconds) / 3
        self._settlements = Settlements(self._postgres)
        self._upstream = Upstream()
        directory, finer = KeyDirectory(self._fetch_key, options.pepper), FinerLimits(self._fetch_limits)
        balance, experience = Balance(), Experience()
        ordering = Ordering(finer, Addresses(options.trusted_proxies), experience)
        self.services = Services(
            directory=directory,
            finer=finer,
            ordering=ordering,
            idempotency=Idempotency(self._postgres, options.pepper),
            admitting=Admitting(directory, ordering, admission, holds, balance),
            settling=Settling(self._settlements, holds, admission, experience),
            relay=Relay(self._upstream, balance),
            keeper=Keeper(holds, admission, renew_seconds=renew_seconds),
            catalogue=Catalogue(),
        )
        self._news = News(options.valkey_url, self._postgres, self.services)

    async def startup(self) -> None:
        """Open the stores, load the catalogue, listen for news."""
        await self._postgres.open()
        await self._reap()
        await self._news.start()
        self.services.keeper.start()
        self._holds.start()

    async def _reap(self) -> None:
        """End what an earlier crash left held, without waiting for the worker's next round."""
        with suppress(PlatformError, psycopg.Error):
            await self._postgres.fetch("SELECT turnpike_reap()")

    async def drain(self, seconds: float) -> None:
        """Let what runs finish, end the rest in-band after `seconds`; all is settled when this returns."""
        # Where Postgres is away a client is better told so than left without a word when the process ends.
        self._settlements.hurry(seconds + SETTLING_SECONDS)
        await self.services.keeper.drain(seconds)
        with suppress(PlatformError, psycopg.Error):  # Where Postgres is away, slices end with their leases.
            await self._holds.drain()
        await self._admission.drain()

    async def shutdown(self) -> None:
        """Close everything."""
        await self._news.stop()
        await self.services.keeper.stop()
        await self._holds.stop()
        self.services.settling.close()
        self._upstream.close()
        await self._valkey.aclose()
        await self._postgres.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request of `/v1`."""
        request_id = ids.uuid7()
        http = Http(scope, receive, send, request_id, ids.public("req", request_id))
        logs.request_id.set(http.public_id)
        try:
            await self._serve(http)
        except ClientGone:
            metrics.requests("none", "client_gone", "499").inc()
        except PlatformError as error:
            await self._refuse(http, error)
        except Exception:  # The boundary to the server: whatever is wrong with us, the client gets an answer.
            log.exception("request_failed")
            await self._refuse(http, PlatformError())

    async def _serve(self, http: Http) -> None:
        _check_head(http.scope)
        path, method = http.scope["path"], http.scope["method"]
        if path in POSTS:
            _require(method, "POST")
            _require_json(http.scope)
            await POSTS[path][1](self.services, http)
        elif path == MODELS:
            _require(method, "GET")
            await list_models(self.services, http)
        elif path.startswith(MODELS + "/"):
            _require(method, "GET")
            await retrieve_model(self.services, http, path[len(MODELS) + 1 :])
        else:
            raise NotFound("There is no such endpoint.")

    async def _refuse(self, http: Http, error: PlatformError) -> None:
        name = POSTS.get(http.scope["path"], ("none",))[0]
        metrics.requests(name, error.code, str(error.status)).inc()
        await answers.send_error(http.send, error, [(b"x-request-id", http.public_id.encode())])

    async def _fetch_key(self, digest: bytes) -> dict[str, object] | None:
        rows = await self._postgres.fetch(KEY_BY_DIGEST, (digest,))
        return rows[0][0] if rows else None

    async def _fetch_limits(self, subjects: str) -> list[dict[str, object]]:
        return [row[0] for row in await self._postgres.fetch(LIMITS_OF_SUBJECTS, (subjects,))]


def _check_head(scope: Scope) -> None:
    headers = scope["headers"]
    sizes = [len(name) + len(value) for name, value in headers]
    if len(sizes) > MOST_HEADERS or sum(sizes) > MOST_HEAD_BYTES or max(sizes, default=0) > MOST_HEADER_BYTES:
        raise RequestTooLarge("The request has too many or too large headers.")
    if single(headers, b"host") is None and scope.get("http_version") == "1.1":
        raise InvalidRequest("The header host is missing.")


def _require(method: str, wanted: str) -> None:
    if method != wanted:
        raise MethodNotAllowed(headers={"allow": wanted})


def _require_json(scope: Scope) -> None:
    media_type = (single(scope["headers"], b"content-type") or b"").split(b";")[0].strip().lower()
    if media_type != b"application/json":
        raise UnsupportedMediaType
    if (single(scope["headers"], b"content-encoding") or b"identity").lower() != b"identity":
        raise UnsupportedMediaType("Send the body without a content-encoding.")


def build_gateway(options: Options) -> Gateway:
    """Build the gateway of this process; nothing is opened before `startup`."""
    return Gateway(options)
