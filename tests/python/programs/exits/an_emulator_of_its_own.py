"""An emulator in the same process is never stopped."""

from __future__ import annotations

import threading

from exiting import call_for_ever, wait_a_while
from gptimage import Emulator

emulator = Emulator(latency="0ms..40ms")
client = emulator.client()
call_for_ever(client)
threading.Thread(target=lambda: emulator.ledger, daemon=True).start()
wait_a_while()
