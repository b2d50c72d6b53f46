"""The process ends by os._exit."""

from __future__ import annotations

import os

from exiting import OPTIONS, call_for_ever, log_everything, wait_a_while
from gptimage import Client

log_everything()
call_for_ever(Client(**OPTIONS))
wait_a_while()
os._exit(5)
