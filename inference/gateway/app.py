"""The door of `/v1`: raw ASGI in, the right endpoint, one place where errors become answers.

Chat and its kind never enter Django (architecture §2): Django's handler costs a thread for each open request.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg

from billing import receipts
from billing.growing import Growing
from billing.holds import Holds
from billing.settlement import Settlements
from foundation import ids, logs, metrics
from foundation.errors import (
    ClientGone,
    MethodNotAllowed,
    NotFound,
    PlatformError,
)
from foundation.signing import Signer
from foundation.stores import Postgres
from foundation.valkey import Valkey
from foundation.web import Receive, Scope, Send
from inference.gateway import answers
from inference.gateway.addresses import Addresses, Network
from inference.gateway.admission import Admission
from inference.gateway.admitting import Admitting
from inference.gateway.catalogue import Catalogue
from inference.gateway.cors import Cors
from inference.gateway.credentials import Credentials
from inference.gateway.endpoints import Services, answer
from inference.gateway.errors import BodyBroken
from inference.gateway.heads import HANG_UP, check_head, check_type
from inference.gateway.idempotency import Idempotency
from inference.gateway.keeping import Keeper
from inference.gateway.learning import Experience
from inference.gateway.models import list_models, retrieve_model
from inference.gateway.news import News
from inference.gateway.orders import Http, Ordering
from inference.gateway.overruns import Overruns
from inference.gateway.receipts import Receipts
from inference.gateway.relay import Relay
from inference.gateway.routing import Balance
from inference.gateway.settling import Settling
from inference.gateway.surfaces.router import ROUTES, spoken
from inference.gateway.upstream import Upstream
from keys.finer import LIMITS_OF_SUBJECTS, FinerLimits
from keys.verification import KEY_BY_DIGEST, KeyDirectory

log = logs.get(__name__)

MODELS = "/v1/models"
RECEIPTS = "/v1/receipts"
RECEIPT_KEYS = RECEIPTS + "/keys"
# What a settlement gets after the end of a drain.
SETTLING_SECONDS = 2.0
# Paths that must be spelled without escapes.
LITERAL = frozenset({*ROUTES, MODELS, RECEIPT_KEYS})


@dataclass(frozen=True, slots=True)
class Options:
    """What a gateway process is told by the settings."""

    database_url: str
    valkey_url: str
    pepper: bytes = field(repr=False)
    hold_lease_seconds: float
    concurrency_lease_seconds: float
    processes: int
    valkey_timeout_ms: int
    receipt_signing_key: str = field(repr=False)
    client_seconds: float = 30.0
    """How long a client may take none of what it is sent before it counts as gone (architecture §4.3)."""
    trusted_proxies: Sequence[Network] = ()
    engine_ca_bundle: str = ""
    receipt_public_keys: Sequence[str] = ()
    credential_keys: Sequence[str] = field(default=(), repr=False)
    hold_slices: bool = False


class Gateway:
    """One process's gateway; `config.asgi` builds it, starts it and sends it every request of `/v1`."""

    def __init__(self, options: Options) -> None:
        self._postgres = Postgres(options.database_url)
        self._valkey = Valkey(options.valkey_url)
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
        self._upstream = Upstream(options.engine_ca_bundle)
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
            relay=Relay(self._upstream, balance, options.client_seconds),
            keeper=Keeper(holds, admission, renew_seconds=renew_seconds),
            catalogue=Catalogue(),
        )
        self._overruns = Overruns(self.services.keeper, Growing(self._postgres))
        self._cors = Cors(self._postgres, directory)
        signer = Signer(options.receipt_signing_key, options.receipt_public_keys, receipts.PURPOSE)
        self._receipts = Receipts(self._postgres, directory, signer)
        self._news = News(options.valkey_url, self._postgres, self.services, Credentials(options.credential_keys))

    async def startup(self) -> None:
        """Open the stores, load the catalogue, listen for news."""
        await self._postgres.open()
        await self._reap()
        await self._news.start()
        self.services.keeper.start()
        self._holds.start()
        self._overruns.start()

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
        await self._overruns.stop()
        await self.services.keeper.stop()
        await self._holds.stop()
        self.services.settling.close()
        self._upstream.close()
        await self._valkey.aclose()
        await self._postgres.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request of `/v1`."""
        request_id = ids.uuid7()
        http = Http(scope, receive, self._cors.opening(scope, send), request_id, ids.public("req", request_id))
        logs.request_id.set(http.public_id)
        try:
            await self._serve(http)
        except ClientGone:
            metrics.requests("none", "client_gone", "499").inc()
            # The server says so, too, of a body that it cannot read: then the client is there, and waits.
            await self._tell(http, BodyBroken(headers=HANG_UP))
        except PlatformError as error:
            await self._refuse(http, error)
        except Exception:  # The boundary to the server: whatever is wrong with us, the client gets an answer.
            log.exception("request_failed")
            await self._refuse(http, PlatformError())

    async def _serve(self, http: Http) -> None:
        check_head(http.scope, LITERAL)
        path, method = http.scope["path"], http.scope["method"]
        allowed, surface = _methods(path), ROUTES.get(path)
        if method == "OPTIONS":
            await self._cors.preflight(http, allowed)
        elif method not in allowed:
            raise MethodNotAllowed(headers={"allow": ", ".join((*allowed, "OPTIONS"))})
        elif surface is not None:
            check_type(http.scope["headers"], surface.content_type)
            await answer(self.services, http, surface)
        elif path == MODELS:
            await list_models(self.services, http)
        elif path.startswith(MODELS + "/"):
            await retrieve_model(self.services, http, path[len(MODELS) + 1 :])
        elif path == RECEIPT_KEYS:
            await self._receipts.publish_keys(http)
        else:
            await self._receipts.retrieve(http, path[len(RECEIPTS) + 1 :])

    async def _refuse(self, http: Http, error: PlatformError) -> None:
        surface = ROUTES.get(http.scope["path"])
        metrics.requests(surface.name if surface else "none", error.code, str(error.status)).inc()
        await self._tell(http, error)

    async def _tell(self, http: Http, error: PlatformError) -> None:
        await answers.refuse(http.send, spoken(http.scope), error, http.public_id)

    async def _fetch_key(self, digest: bytes) -> dict[str, object] | None:
        rows = await self._postgres.fetch(KEY_BY_DIGEST, (digest,))
        return rows[0][0] if rows else None

    async def _fetch_limits(self, subjects: str) -> list[dict[str, object]]:
        return [row[0] for row in await self._postgres.fetch(LIMITS_OF_SUBJECTS, (subjects,))]


def _methods(path: str) -> tuple[str, ...]:
    """Return what may be done at a path. Raises NotFound."""
    if path in ROUTES:
        return ("POST",)
    if path == MODELS or path.startswith((MODELS + "/", RECEIPTS + "/")):
        return ("GET", "HEAD")
    raise NotFound("There is no such endpoint.")


def build_gateway(options: Options) -> Gateway:
    """Build the gateway of this process; nothing is opened before `startup`."""
    return Gateway(options)
