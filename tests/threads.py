"""Calling Django's synchronous side from an asynchronous test."""

import asyncio
from collections.abc import Awaitable, Callable

from django.db import connections


def off_loop[**P, T](function: Callable[P, T]) -> Callable[P, Awaitable[T]]:
    """Run a function in a thread, and leave no connection of that thread behind."""

    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        finally:
            connections.close_all()

    async def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.to_thread(call, *args, **kwargs)

    return run
