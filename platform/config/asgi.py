"""Which door? `/v1/*` goes to the gateway in raw ASGI, probes and metrics are answered here, the rest is Django's."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from django.conf import settings
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Sets Django up: with this line the modules below can be imported.
pages = get_asgi_application()

from config import checks  # noqa: E402 - after Django is set up
from config.draining import Drain  # noqa: E402 - after Django is set up
from config.forwarding import Forwarding  # noqa: E402 - after Django is set up
from config.operations import Operations, Readiness  # noqa: E402 - after Django is set up
from foundation import ids, logs  # noqa: E402 - after Django is set up
from foundation.errors import Overloaded, PlatformError  # noqa: E402 - after Django is set up
from foundation.web import Message, Receive, Scope, Send  # noqa: E402 - after Django is set up
from inference.gateway import answers  # noqa: E402 - after Django is set up
from inference.gateway.addresses import Network  # noqa: E402 - after Django is set up
from inference.gateway.app import Options, build_gateway  # noqa: E402 - after Django is set up
from inference.gateway.errors import Draining  # noqa: E402 - after Django is set up
from inference.gateway.surfaces.router import spoken  # noqa: E402 - after Django is set up

log = logs.get(__name__)

SHUTDOWN_SECONDS = 5.0
_PAUSE_SECONDS = 0.05


class Gateway(Protocol):
    """What the hot path is to this file."""

    async def startup(self) -> None:
        """Open stores and load the catalogue."""

    async def drain(self, seconds: float) -> None:
        """Return once no request runs and none is unsettled; after `seconds`, end those still running in-band."""

    async def shutdown(self) -> None:
        """Close stores."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request of `/v1`."""


class Platform:
    """The ASGI application of every web process."""

    def __init__(
        self,
        pages: Callable[..., Awaitable[None]],
        build_gateway: Callable[[], Gateway],
        *,
        drain_seconds: float,
        notice_seconds: float = 0.0,
        trusted_proxies: Sequence[Network] = (),
        metrics_token: str,
        readiness: Readiness,
    ) -> None:
        self._pages = pages
        self._build_gateway = build_gateway
        self._forwarding = Forwarding(trusted_proxies)
        self._gateway: Gateway | None = None
        self._under_way = 0
        self._drain = Drain(self._finish, seconds=drain_seconds, notice_seconds=notice_seconds)
        self._operations = Operations(self._drain, readiness, token=metrics_token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send one connection to its door."""
        if scope["type"] == "http":
            path = scope["path"]
            if path.startswith("/v1/"):
                await self._inference(scope, receive, send)
            elif self._operations.owns(path):
                await self._operations(scope, receive, send)
            else:
                await self._pages(self._forwarding.believed(scope), receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            # There are no websockets yet; a close before the accept is a 403 to the browser.
            await send({"type": "websocket.close"})

    async def _inference(self, scope: Scope, receive: Receive, send: Send) -> None:
        gateway = self._gateway
        if gateway is None:
            await _refuse(scope, send, Overloaded(retry_after=1))
        elif self._drain.refusing:
            await _refuse(scope, send, Draining(retry_after=1))
        else:
            self._under_way += 1
            try:
                await gateway(scope, receive, _closing(send) if self._drain.leaving else send)
            finally:
                self._under_way -= 1

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self._start()
        except Exception as error:  # The boundary to the server: whatever is wrong, it must hear that we cannot start.
            log.exception("startup_failed")
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def _start(self) -> None:
        await asyncio.to_thread(checks.refuse_misconfiguration)
        self._gateway = self._build_gateway()
        await self._gateway.startup()
        self._drain.install()

    async def _stop(self) -> None:
        # The server waited for its connections. What can still run is the settling of a client who left.
        await self._finish(SHUTDOWN_SECONDS)
        if self._gateway is not None:
            await self._gateway.shutdown()

    async def _finish(self, seconds: float) -> None:
        clock = asyncio.get_running_loop().time
        deadline = clock() + seconds
        if self._gateway is None:
            return
        await self._gateway.drain(seconds)
        # A request let in just before the flag may have been on its way into the gateway's books.
        while self._under_way:
            await asyncio.sleep(_PAUSE_SECONDS)
            await self._gateway.drain(max(0.0, deadline - clock()))


def _closing(send: Send) -> Send:
    """Return a `send` whose answers end their connection: its next request has to reach another process."""

    async def send_and_close(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [header for header in message["headers"] if header[0] != b"connection"]
            message["headers"] = [*kept, (b"connection", b"close")]
        await send(message)

    return send_and_close


async def _refuse(scope: Scope, send: Send, error: PlatformError) -> None:
    # This connection leads to the same process again; the client's next request has to reach another one.
    headers = [(b"connection", b"close")] if scope["http_version"].startswith("1") else []
    await answers.refuse(send, spoken(scope), error, ids.public("req", ids.uuid7()), headers)


def gateway_options() -> Options:
    """Return what the settings tell the gateway, which knows nothing of Django."""
    return Options(
        database_url=settings.DATABASE_URL,
        valkey_url=settings.REDIS_URL,
        pepper=settings.KEY_PEPPER.encode(),
        hold_lease_seconds=settings.HOLD_LEASE_SECONDS,
        concurrency_lease_seconds=settings.CONCURRENCY_LEASE_SECONDS,
        processes=settings.GATEWAY_PROCESSES,
        valkey_timeout_ms=settings.VALKEY_TIMEOUT_MS,
        client_seconds=settings.CLIENT_READ_SECONDS,
        trusted_proxies=settings.TRUSTED_PROXIES,
        hold_slices=settings.HOLD_SLICES,
        receipt_signing_key=settings.RECEIPT_SIGNING_KEY,
        receipt_public_keys=settings.RECEIPT_PUBLIC_KEYS,
        engine_ca_bundle=settings.ENGINE_CA_BUNDLE,
        credential_keys=settings.CREDENTIAL_KEYS,
    )


application = Platform(
    pages,
    lambda: build_gateway(gateway_options()),
    drain_seconds=settings.DRAIN_SECONDS,
    notice_seconds=settings.DRAIN_NOTICE_SECONDS,
    trusted_proxies=settings.TRUSTED_PROXIES,
    metrics_token=settings.METRICS_TOKEN,
    readiness=Readiness(settings.DATABASE_URL, settings.REDIS_URL),
)
