"""A person with a browser: follows links, fills in forms, keeps cookies. No script runs, and none is needed."""

import html
import re
from typing import Any

import httpx

from tests.installation import Server


class Visitor:
    """Somebody at the pages of one server. Every page must be there: an error page fails the test."""

    def __init__(self, server: Server) -> None:
        # Not through a proxy of the machine's; HTTP cookies are kept for the loopback address all the same.
        self._http = httpx.Client(base_url=server.url, follow_redirects=True, trust_env=False, timeout=30)

    def __enter__(self) -> "Visitor":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def open(self, path: str) -> httpx.Response:
        """Go to an address."""
        answer = self._http.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer

    def submit(self, path: str, **fields: str) -> httpx.Response:
        """Open a page with a form, fill it in and send it to the same address."""
        page = self.open(path)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert token, f"there is no form at {path}"
        answer = self._http.post(
            page.url.path, data={"csrfmiddlewaretoken": token[1], **fields}, headers={"referer": str(page.url)}
        )
        assert answer.status_code == 200, (path, answer.status_code, problems(answer.text))
        return answer

    def json(self, path: str) -> Any:
        """Read from the management API as the person who is signed in."""
        return self.open(path).json()


def problems(text: str) -> list[str]:
    """Return what a page complains about."""
    return [html.unescape(found) for found in re.findall(r'class="[^"]*(?:problem|error)[^"]*"[^>]*>([^<]+)', text)]
