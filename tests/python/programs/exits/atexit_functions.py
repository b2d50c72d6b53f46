"""Functions of atexit make calls, registered before and after the first use of the package."""

from __future__ import annotations

import atexit

from exiting import OPTIONS, call_for_ever, wait_a_while
from gptimage import Client


def last(when: str) -> None:
    print(when, client.generate("x").image.format, client.collect())


atexit.register(last, "late")
client = Client(**OPTIONS)
client.generate("x")
atexit.register(last, "early")
call_for_ever(client)
wait_a_while()
