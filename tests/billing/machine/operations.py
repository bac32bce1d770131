"""What processes do to one organization's money in one transaction, and what the model says that it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from tests.billing.machine.books import Ask, Books, Charge
from tests.billing.machine.postgres import HOUR, Teller


@dataclass(frozen=True)
class Scene:
    """One organization with 100, a budget of 60, and two requests of 50: only one fits."""

    organization: UUID
    window: UUID
    one: Ask
    two: Ask

    def charge(self, ask: Ask, cost: int) -> Charge:
        return Charge(ask.request, self.organization, cost, (self.organization, self.window))


@dataclass(frozen=True)
class Operation:
    """Something a process does in one transaction, and what the model says that does."""

    real: Callable[[Teller, Scene], object]
    model: Callable[[Books, Scene], object]


def _hold(*asks: str) -> Operation:
    def real(teller: Teller, scene: Scene) -> object:
        return teller.hold([getattr(scene, ask) for ask in asks])

    def model(books: Books, scene: Scene) -> object:
        wanted: list[Ask] = [getattr(scene, ask) for ask in asks]
        return [(ask.request, books.take(ask, stale=False)) for ask in wanted]

    return Operation(real, model)


def _settle(cost: int, *asks: str) -> Operation:
    def real(teller: Teller, scene: Scene) -> object:
        return [row[:3] for row in teller.settle([scene.charge(getattr(scene, ask), cost) for ask in asks])]

    def model(books: Books, scene: Scene) -> object:
        charges = [scene.charge(getattr(scene, ask), cost) for ask in asks]
        return [(charge.request, *books.settle(charge)) for charge in charges]

    return Operation(real, model)


def _grow(needed: int, wanted: int, *asks: str) -> Operation:
    def real(teller: Teller, scene: Scene) -> object:
        return teller.grow([(getattr(scene, ask), needed, wanted) for ask in asks])

    def model(books: Books, scene: Scene) -> object:
        wanting: list[Ask] = [getattr(scene, ask) for ask in asks]
        return [(ask.request, *books.grow(ask, needed, wanted)) for ask in wanting]

    return Operation(real, model)


def _extend(books: Books, scene: Scene) -> set[UUID]:
    reached = books.holds.keys() & {scene.one.request, scene.two.request}
    for request in reached:
        books.holds[request].stale = False
    return reached


def _post(books: Books, scene: Scene) -> bool:
    books.credit(scene.organization, "adjustment", 30)
    return True


OPERATIONS = {
    "hold one": _hold("one"),
    "hold two, then one": _hold("two", "one"),
    "grow one within its budget": _grow(55, 80, "one"),
    "grow both beyond it": _grow(70, 80, "two", "one"),
    "settle one": _settle(40, "one"),
    "settle both": _settle(45, "one", "two"),
    "settle both the other way round": _settle(70, "two", "one"),
    "void": Operation(
        lambda teller, scene: teller.void([scene.two.request, scene.one.request]),
        lambda books, scene: books.void(scene.one.request) + books.void(scene.two.request),
    ),
    "extend": Operation(
        lambda teller, scene: teller.extend([scene.two.request, scene.one.request], HOUR),
        _extend,
    ),
    "reap": Operation(lambda teller, scene: teller.reap(), lambda books, scene: books.reap()),
    "top up": Operation(lambda teller, scene: teller.post(scene.organization, "adjustment", None, 30), _post),
}
