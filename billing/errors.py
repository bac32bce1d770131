"""What can be wrong with money."""

from __future__ import annotations

from foundation.errors import Conflict, Forbidden, InvalidRequest, PaymentRequired


class NoRoom:
    """A purse refused. `idle_nusd` of it was held in slices and had no request yet: it is called back."""

    idle_nusd: int = 0


class InsufficientCredit(NoRoom, PaymentRequired):
    """The wallet has no room for the worst case of this request."""

    code = "insufficient_credit"
    message = "This organization has not enough credit for this request. Add credit to continue."


class BudgetExceeded(NoRoom, PaymentRequired):
    """A budget window has no room for the worst case of this request."""

    code = "budget_exceeded"
    message = "A budget does not allow this request."


class ModelNotPriced(Forbidden):
    """A model without a price cannot be called: nothing is ever given away by mistake."""

    code = "model_not_priced"
    message = "This model has no price yet and cannot be called."


class InvalidAmount(InvalidRequest):
    """Money must be a whole, non-zero number of nano-dollars within bounds."""

    code = "invalid_amount"
    message = "The amount is not valid."


class PriceConflict(Conflict):
    """Two versions of a price cannot start at the same instant."""

    code = "price_conflict"
    message = "This model already has a price that starts at this time."
