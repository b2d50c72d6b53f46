"""A running `gptimage emulator`, and its state as read over HTTP."""

import json
import os
import signal
import struct
import subprocess
import urllib.request
from pathlib import Path

KEY = "sk-outside"


class Emulator:
    def __init__(self, binary: str) -> None:
        command = [binary, "emulator", "--port", "0", "--key", KEY]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.base_url = self.process.stdout.readline().strip()
        assert self.base_url.startswith("http://127.0.0.1:"), f"the first line is {self.base_url!r}"
        self.origin = self.base_url.removesuffix("/v1")

    def environment(self) -> dict[str, str]:
        """Where examples find the host and the key. Nothing on loopback goes through a proxy."""
        return os.environ | {"AIMLAPI_KEY": KEY, "AIMLAPI_BASE_URL": self.base_url, "NO_PROXY": "127.0.0.1"}

    def ledger(self) -> dict:
        with fetch(self.origin + "/_emulator/ledger?settled=true") as answer:
            return json.load(answer)

    def save_picture(self, path: Path, **parameters: str) -> None:
        body = {"model": "openai/gpt-image-2", **parameters}
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        with fetch(self.base_url + "/images/generations", json.dumps(body).encode(), headers) as answer:
            url = json.load(answer)["data"][0]["url"]
        path.write_bytes(download(url))

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


def fetch(url: str, body: bytes | None = None, headers: dict[str, str] | None = None, method: str | None = None):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return opener.open(urllib.request.Request(url, body, headers or {}, method=method), timeout=60)


def download(url: str) -> bytes:
    with fetch(url) as answer:
        return answer.read()


def png_size(picture: bytes) -> tuple[int, int]:
    assert picture[:8] == b"\x89PNG\r\n\x1a\n" and picture[12:16] == b"IHDR", "not a PNG"
    assert picture[-8:-4] == b"IEND", "a PNG without its end"
    return struct.unpack(">II", picture[16:24])
