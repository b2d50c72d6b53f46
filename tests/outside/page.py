"""The programs of docs/emulator.md, extracted unchanged."""

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "emulator.md"

# The address and the key of the emulator in the page's examples.
ORIGIN = "http://127.0.0.1:8080"
KEY = "sk-test"


def programs(language: str, origin: str, key: str) -> list[str]:
    """The page's blocks of a language, in their order, changed only in host and key."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    # The command that starts it in the foreground is meant for another terminal.
    blocks = [block for block in blocks if block != "gptimage emulator --port 8080\n"]
    assert blocks, f"the page has no {language}"
    return [block.replace(ORIGIN, origin).replace(KEY, key) for block in blocks]


def examples() -> list[str]:
    """The JSON in the page's tables."""
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("|")]
    return [json for row in rows for json in re.findall(r"`(\{.*?\})`", row)]


def is_setting(example: str) -> bool:
    return re.match(r'\{"(latency|log_lag|url_expiry|error_form|price_headers)"', example) is not None
