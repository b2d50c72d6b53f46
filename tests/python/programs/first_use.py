"""The package is imported for the first time by sixteen threads at once."""

from __future__ import annotations

import threading

start = threading.Barrier(16)
errors: list[BaseException] = []


def work() -> None:
    try:
        start.wait(30)
        import gptimage

        with gptimage.Emulator() as emulator:
            assert emulator.client().balance().current_balance == 1000
    except BaseException as error:
        errors.append(error)


threads = [threading.Thread(target=work) for _ in range(16)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join(30)
assert not errors, errors
assert not any(thread.is_alive() for thread in threads)
