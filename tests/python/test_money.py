"""The cost of calls: budgets, looking calls up afterwards, and results kept for callers that had gone."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import gptimage
import pytest
from cases_facts import assert_as_annotated
from gptimage import AsyncClient, Budget, BudgetExceededError, Client, ConfigError, Emulator, OutcomeUnknownError
from processes import run


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(billing="pessimistic") as emulator:
        yield emulator


def charged(emulator: Emulator) -> Decimal:
    return sum((Decimal(entry.charge["usd"]) for entry in emulator.ledger if entry.charge), Decimal(0))


# --- Budgets --------------------------------------------------------------------------------------------------------


def test_a_budget_counts_what_was_charged_and_refuses_what_does_not_fit(emulator: Emulator) -> None:
    budget = Budget("0.60")
    client = emulator.client(budget=budget)
    generated = client.generate("A hat")
    assert generated.cost is not None
    status = budget.status
    assert_as_annotated(status)
    assert (status.spent_usd, status.reserved_usd, status.closed) == (generated.cost.usd, Decimal(0), False)
    assert status.remaining_usd == status.max_usd - status.spent_usd == Decimal("0.60") - charged(emulator)
    client.generate("A hat")
    with pytest.raises(BudgetExceededError) as refused:
        client.generate("A hat")
    assert (refused.value.charge, refused.value.attempts, emulator.charges) == ("not_charged", (), 2)
    for part in ("0.5 USD", "0.6 USD", "max_usd"):
        assert part in str(refused.value)


def test_a_budget_is_shared_by_clients_and_threads(emulator: Emulator) -> None:
    budget = Budget(2, max_usd_per_call="0.3")
    clients = [emulator.client(budget=budget), emulator.client().with_options(budget=budget)]
    refused: list[BudgetExceededError] = []

    def work(client: Client) -> None:
        for _ in range(10):
            try:
                client.generate("A hat", quality="low")
            except BudgetExceededError as error:
                refused.append(error)

    threads = [threading.Thread(target=work, args=(client,)) for client in clients * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert charged(emulator) == budget.status.spent_usd <= budget.status.max_usd
    assert len(refused) + emulator.charges == 80


def test_a_budget_in_asyncio(emulator: Emulator) -> None:
    budget = Budget(1)
    client = emulator.async_client(budget=budget)

    async def main() -> list[Any]:
        return await asyncio.gather(*(client.generate("A hat") for _ in range(4)), return_exceptions=True)

    outcomes = asyncio.run(main())
    # All reservations were made at once, and two of 0.50 fit at a time.
    assert sum(isinstance(outcome, BudgetExceededError) for outcome in outcomes) == 2
    assert budget.status.spent_usd == charged(emulator)


def test_what_costs_more_than_it_may_is_told_and_closes_the_budget(emulator: Emulator) -> None:
    budget = Budget(5, max_usd_per_call="0.01")
    client = emulator.client(budget=budget)
    assert "over_budget" in [warning.kind for warning in client.generate("A hat").warnings]
    assert budget.status.closed and budget.status.remaining_usd == 0
    with pytest.raises(BudgetExceededError, match="closed"):
        client.generate("A hat")


@pytest.mark.parametrize("amount", ["0.5", 0.5, Decimal("0.50"), Decimal("5E-1"), "5e-1", " 0.5 "])
def test_amounts_come_in_any_form(amount: Any) -> None:
    assert Budget(amount).status.max_usd == Decimal("0.5")
    assert repr(Budget(amount)) == "Budget(0 of 0.5 USD spent)"


@pytest.mark.parametrize("amount", ["", "much", -1, float("nan"), float("inf"), Decimal("NaN"), "1e-30", True, "$5"])
def test_what_is_no_amount_is_refused_by_name(amount: Any) -> None:
    with pytest.raises(ConfigError, match="max_usd.*12.50"):
        Budget(amount)
    with pytest.raises(ConfigError, match="max_usd_per_call"):
        Budget(5, max_usd_per_call=amount)


# --- Asking afterwards ----------------------------------------------------------------------------------------------


def lost(emulator: Emulator, client: Client, **fault: Any) -> OutcomeUnknownError:
    """A call whose answer was lost."""
    emulator.fault(**(fault or {"cut_response": {"after": 0, "cut": "rst"}}))
    with pytest.raises(OutcomeUnknownError) as caught:
        client.generate("A hat")
    assert caught.value.charge == "unknown"
    return caught.value


def test_a_lost_answer_was_charged(emulator: Emulator) -> None:
    client = emulator.client()
    error = lost(emulator, client)
    (attempt,) = error.attempts
    asked: list[Any] = [error, attempt, [attempt], attempt.client_request_id, [attempt.client_request_id]]
    for question in asked:
        (answer,) = client.reconcile(question)
        assert_as_annotated(answer)
        assert (answer.charge, answer.client_request_id) == ("charged", attempt.client_request_id)
        assert answer.cost is not None and answer.cost.usd == charged(emulator)
        assert attempt.client_request_id in str(answer) and "refund" in answer.message
        assert pickle.loads(pickle.dumps(answer)) == copy.deepcopy(answer) == answer
    assert emulator.charges == 1, "asking is free"
    (same,) = asyncio.run(emulator.async_client().reconcile(error))
    assert same == answer


def test_a_failure_in_the_servers_words_was_free_and_frees_the_budget() -> None:
    with Emulator() as emulator:
        budget = Budget(1)
        client = emulator.client(budget=budget)
        emulator.fault(answer={"status": 500})
        with pytest.raises(gptimage.InternalServerError) as caught:
            client.generate("A hat")
        assert (caught.value.charge, budget.status.assumed_usd) == ("unknown", Decimal("0.5"))
        (answer,) = client.reconcile(caught.value)
        assert (answer.charge, budget.status.spent_usd) == ("not_charged", Decimal(0))


def test_what_is_proved_is_not_asked_for(emulator: Emulator) -> None:
    client = emulator.client()
    generated = client.generate("A hat")
    before = len(emulator.requests)
    (answer,) = client.reconcile(generated)
    assert (answer.charge, answer.cost, len(emulator.requests)) == ("charged", generated.cost, before)
    assert client.reconcile([]) == []


def test_no_row_proves_nothing(emulator: Emulator) -> None:
    (answer,) = emulator.client().reconcile("nobody's", timeout=0, period="7d")
    assert (answer.charge, answer.cost) == ("unknown", None)
    (answer,) = emulator.client(timers={"usage_log": 0}).reconcile("nobody's")
    assert "no row" in answer.message
    with pytest.raises(TypeError, match="int"):
        emulator.client().reconcile([5])  # type: ignore[list-item]
    with pytest.raises(ConfigError, match="timeout"):
        emulator.client().reconcile("a call", timeout=-1)


# --- What is kept ---------------------------------------------------------------------------------------------------


def leave(emulator: Emulator, client: Client) -> str:
    """A call that outlives its caller's timeout; its id."""
    emulator.fault(delay="500ms")
    with pytest.raises(OutcomeUnknownError) as caught:
        client.generate("A hat", deadline=0.2)
    return caught.value.attempts[0].client_request_id


def test_pending_lists_what_runs_and_what_waits_to_be_collected(emulator: Emulator) -> None:
    client = emulator.client()
    assert client.pending() == []
    name = leave(emulator, client)
    (running,) = client.pending()
    assert_as_annotated(running)
    assert (running.client_request_id, running.phase, running.ended) == (name, "sent", False)
    client.drain()
    (ended,) = client.pending()
    assert (ended.client_request_id, ended.phase, ended.ended) == (name, "stored", True)
    assert len(client.collect()) == 1
    assert client.pending() == []


def test_a_folder_keeps_results_for_another_client(emulator: Emulator, tmp_path: Path) -> None:
    folder = tmp_path / "not there yet"
    client = emulator.client(salvage_folder=folder)
    name = leave(emulator, client)
    client.drain()
    another = emulator.async_client(salvage_folder=folder)
    assert [pending.client_request_id for pending in another.pending()] == [name]
    (generated,) = another.collect()
    assert isinstance(generated, gptimage.Generated)
    assert (generated.client_request_id, generated.image.width) == (name, 1024)
    assert generated.image.path is not None and generated.image.path.parent == folder
    assert generated.cost is not None and generated.cost.usd == charged(emulator)
    assert another.pending() == client.pending() == client.collect() == []


def test_the_end_waits_where_that_is_asked_for_and_a_folder_has_the_result(emulator: Emulator, tmp_path: Path) -> None:
    emulator.fault(delay="900ms")
    options = json.dumps({"salvage_folder": str(tmp_path), "exit_wait": 30})
    name = run("left_at_the_end.py", emulator.url, options).quiet().out.strip()
    (generated,) = emulator.client(salvage_folder=tmp_path).collect()
    assert isinstance(generated, gptimage.Generated) and generated.client_request_id == name


def test_the_end_names_what_it_loses(emulator: Emulator) -> None:
    emulator.fault(delay="900ms")
    ended = run("left_at_the_end.py", emulator.url, "{}")
    assert ended.left == [ended.out.strip()]
    # The result came, but was never taken.
    emulator.fault(delay="600ms")
    ended = run("left_at_the_end.py", emulator.url, "{}", "drain")
    assert f"with results that may be paid and nobody collected: {ended.out.strip()}\n" in ended.err
