"""Budgets."""

from __future__ import annotations

from gptimage import _core
from gptimage.records import BudgetStatus

TYPE_CHECKING = False
if TYPE_CHECKING:
    from decimal import Decimal


class Budget:
    """A limit on the total cost of calls, in US dollars. May be shared by any number of clients and threads.

    >>> budget = Budget("5.00")
    >>> client = Client(budget=budget)
    >>> client.generate("A T-Rex relaxing on a beach")
    >>> budget.status.spent_usd
    Decimal('0.0536705')

    Before an attempt is sent, the highest price that it can have is reserved: `max_usd_per_call` for the whole call
    (default: 0.50 per image), or the highest price that an equal call has had, if that is higher. An attempt whose
    reservation does not fit raises BudgetExceededError, and nothing is sent. Afterwards the reservation is replaced by the
    price that the server states, or released if it is proved that nothing was charged. A call that may have been charged
    counts as spent until `client.reconcile` resolves it. A call that costs more than its reservation gets a warning and
    closes the budget.

    Amounts are text (`"0.50"`), `Decimal`, `int` or `float`; a `float` counts as the digits that Python prints.

    Raises ConfigError for a value that is not an amount.
    """

    def __init__(
        self, max_usd: str | int | float | Decimal, *, max_usd_per_call: str | int | float | Decimal | None = None
    ) -> None:
        per_call = None if max_usd_per_call is None else str(max_usd_per_call)
        self._core = _core.Budget(str(max_usd), per_call)

    @property
    def status(self) -> BudgetStatus:
        """The current state."""
        return BudgetStatus(self._core.status())

    def __repr__(self) -> str:
        status = self.status
        return f"Budget({status.spent_usd:f} of {status.max_usd:f} USD spent)"
