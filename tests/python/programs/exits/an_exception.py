"""The main thread ends by an exception."""

from __future__ import annotations

from exiting import OPTIONS, call_for_ever, wait_a_while
from gptimage import Client

call_for_ever(Client(**OPTIONS))
wait_a_while()
raise LookupError("bye")
