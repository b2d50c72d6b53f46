"""What calls may cost together."""

from __future__ import annotations

from gptimage import _core
from gptimage.records import BudgetStatus

TYPE_CHECKING = False
if TYPE_CHECKING:
    from decimal import Decimal


class Budget:
    """A limit on what calls may cost together, in US dollars. Any number of clients and threads may share it.

    >>> budget = Budget("5.00")
    >>> client = Client(budget=budget)
    >>> client.generate("A T-Rex relaxing on a beach")
    >>> budget.status.spent_usd
    Decimal('0.0536705')

    Before an attempt is sent, the dearest that it may be is reserved: the larger of `max_usd_per_call` (for the call as a
    whole; 0.50 for each of its pictures unless given) and the dearest that an equal call ever was. What does not fit
    raises BudgetExceededError, and nothing is sent. Afterwards the reservation becomes the price that the server states,
    or nothing where it is proved that nothing was charged; what may be charged counts as spent, until `client.reconcile`
    knows better. A call that costs more than was reserved for it has a warning, and closes the budget.

    Amounts are text (`"0.50"`), `Decimal` or `int`; a `float` counts as the digits that Python shows.

    Raises ConfigError for what is no amount.
    """

    def __init__(
        self, max_usd: str | int | float | Decimal, *, max_usd_per_call: str | int | float | Decimal | None = None
    ) -> None:
        per_call = None if max_usd_per_call is None else str(max_usd_per_call)
        self._core = _core.Budget(str(max_usd), per_call)

    @property
    def status(self) -> BudgetStatus:
        """How it stands."""
        return BudgetStatus(self._core.status())

    def __repr__(self) -> str:
        status = self.status
        return f"Budget({status.spent_usd:f} of {status.max_usd:f} USD spent)"
