"""The outside world between an SDK and the server: networks that lose answers, and what passed over them."""

from collections.abc import Callable
from typing import Any

import httpx2


class Network(httpx2.Client):
    """Reaches the server, loses the first `loses` answers on their way back, and notes what came."""

    def __init__(self, *, loses: int = 0, on_refusal: Callable[[], object] = lambda: None) -> None:
        super().__init__()
        self.answers: list[httpx2.Response] = []
        self._loses = loses
        self._on_refusal = on_refusal

    def send(self, request: httpx2.Request, **ways: Any) -> httpx2.Response:
        """Send, and read all of an answer before it is lost, so that the server knows nothing of it."""
        response = super().send(request, **ways)
        self.answers.append(response)
        if response.status_code == httpx2.codes.TOO_MANY_REQUESTS:
            self._on_refusal()
        if len(self.answers) <= self._loses:
            response.read()
            raise httpx2.ReadError("The network lost the answer.", request=request)
        return response

    @property
    def statuses(self) -> list[int]:
        """Every status that came from the server, lost or not."""
        return [answer.status_code for answer in self.answers]

    @property
    def request_ids(self) -> list[str]:
        """What the server calls each of the requests."""
        return [answer.headers["x-request-id"] for answer in self.answers]
