"""The management API, asked over HTTP by a program with a management key."""

from typing import Any

import httpx

from tests.installation import Server, Tenant


class Management:
    """What one organization's management key does, on one server."""

    def __init__(self, server: Server, tenant: Tenant) -> None:
        self._http = httpx.Client(
            base_url=f"{server.url}/api/v1/",
            headers={"authorization": f"Bearer {tenant.management_key}"},
            trust_env=False,
            timeout=30,
        )

    def __enter__(self) -> "Management":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str) -> Any:
        answer = self._http.get(path)
        assert answer.is_success, answer.text
        return answer.json()

    def post(self, path: str, **body: Any) -> Any:
        answer = self._http.post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def change(self, path: str, **body: Any) -> Any:
        answer = self._http.patch(path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def new_key(self, **facts: Any) -> Any:
        """Make an inference key in the first project; its secret is in the answer."""
        (project,) = self.get("projects")["data"]
        return self.post("keys", name="A key", project=project["id"], **facts)
