"""A furnished installation that really runs, and a real browser to look at it with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connections
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests import databases
from tests.browser import scene
from tests.browser.scene import Scene
from tests.installation import Installation, running

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True)
class Place:
    """What there is to look at, and where."""

    url: str
    base_url: str
    scene: Scene
    installation: Installation

    def ask[Answer](self, question: Callable[[], Answer]) -> Answer:
        """Ask the database, in a thread of its own: the browser's loop occupies this one."""
        return _aside(self.installation, question)


@pytest.fixture(scope="session")
def place(django_db_setup, django_db_blocker) -> Iterator[Place]:
    """One installation for all tests of this folder: its catalogue is its own."""
    with databases.fresh() as database, running(database, django_db_blocker.unblock) as installation:
        furnished = _aside(installation, lambda: scene.furnish(requests=400, password=scene.PASSWORD))
        yield Place(installation.server.url, installation.base_url, furnished, installation)


@pytest.fixture
def chromium(place) -> Iterator[Browser]:
    """Debian's browser. Anew for each test, and after the place: while it is open, its event loop holds the thread that
    Django's side of fixtures and of other tests needs.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium, place) -> Iterator[Callable[..., Page]]:
    """Open a page in a browser of its own that fails the test if anything is written to its console."""
    contexts, complaints = [], []

    def listen(said: ConsoleMessage) -> None:
        # A form that comes back with a mistake is a 422, which the browser reports as well.
        if said.type in {"error", "warning"} and "status of 422" not in said.text:
            complaints.append(said.text)

    def open_page(**wishes: Any) -> Page:
        context = chromium.new_context(base_url=place.url, **{"viewport": {"width": 1440, "height": 900}, **wishes})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", listen)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def page(open_page) -> Page:
    """A page of nobody's, on a desktop, in the light."""
    return open_page()


def sign_in(page: Page, email: str, to: str = "/app/") -> None:
    """Sign in as one of the scene."""
    page.goto(f"/accounts/login/?next={to}")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(scene.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"**{to}**")


def _aside[Answer](installation: Installation, question: Callable[[], Answer]) -> Answer:
    def answer() -> Answer:
        try:
            with installation.django():
                return question()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(answer).result()
