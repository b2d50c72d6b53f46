"""Daemon threads wait for calls that take a minute when the interpreter ends."""

from __future__ import annotations

import json
import threading

from gptimage import Emulator
from program import until

emulator = Emulator(latency="60s")
client = emulator.client()
for _ in range(8):
    threading.Thread(target=client.generate, args=("x",), daemon=True).start()
until(lambda: len(emulator.requests) >= 8, "all calls arrived")
print(json.dumps([request.header("x-client-request-id") for request in emulator.requests]))
