"""A call runs into its deadline shortly before the interpreter ends: left_at_the_end.py URL OPTIONS [drain]."""

from __future__ import annotations

import json
import sys
from typing import Any

from gptimage import Client, OutcomeUnknownError

options: dict[str, Any] = json.loads(sys.argv[2])
client = Client(api_key="k", base_url=sys.argv[1], proxy=False, **options)
try:
    client.generate("A hat", deadline=0.3)
except OutcomeUnknownError as error:
    print(error.attempts[0].client_request_id)
if sys.argv[3:] == ["drain"]:
    client.drain()
