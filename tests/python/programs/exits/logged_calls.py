"""Calls are logged while the interpreter ends."""

from __future__ import annotations

from exiting import OPTIONS, call_for_ever, log_everything, wait_a_while
from gptimage import Client

log_everything()
call_for_ever(Client(**OPTIONS), 8)
wait_a_while()
