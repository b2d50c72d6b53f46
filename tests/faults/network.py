"""A network that fails while a call waits: the call survives an outage, and detects a peer that vanished.

    tests/with-python tests/faults/network.py target/debug/gptimage [--scaled]

Emulator and client are in network namespaces of their own, connected by a virtual cable, and nftables drops its
packets. In real time the command itself is tested, with its own timers; `--scaled` tests the same library with all
timers divided. Where such namespaces are not available, all tests are skipped, with a message.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import Emulator, Report, environment, install, port_of
from relay import Relay

DIVISOR = 15
# In seconds, as documented.
OUTAGE, FOUND_WITHIN = 90.0, 150.0
SERVER, CLIENT = "10.231.7.1", "10.231.7.2"
INSIDE = "--inside"
# Files in the folder of a namespace here replace those in /etc inside it.
SETTINGS = Path("/etc/netns")


def main() -> int:
    if INSIDE in sys.argv:
        return inside(Path(sys.argv[1]), sys.argv[sys.argv.index(INSIDE) + 1], "--scaled" in sys.argv)
    # The namespaces are removed even on SIGTERM.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    install.programs(ip="iproute2", nft="nftables")
    names = [f"gptimage-{os.getpid()}-{side}" for side in ("server", "client")]
    try:
        if (why := make_namespaces(*names)) is not None:
            report = Report("network")
            report.skip("outages and vanished peers", why)
            return report.end()
        command = [str(Path(sys.argv[1]).resolve()), INSIDE, names[1], *sys.argv[2:]]
        return subprocess.run(["ip", "netns", "exec", names[0], sys.executable, __file__, *command]).returncode
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], capture_output=True)
            shutil.rmtree(SETTINGS / name, ignore_errors=True)


def make_namespaces(server: str, client: str) -> str | None:
    """Two namespaces and a cable; or why there are none."""
    if not shutil.which("ip") or not shutil.which("nft"):
        return "ip and nft are not installed"
    steps = [
        f"ip netns add {server}",
        f"ip netns add {client}",
        f"ip link add cable netns {server} type veth peer name cable netns {client}",
        f"ip -n {server} address add {SERVER}/30 dev cable",
        f"ip -n {client} address add {CLIENT}/30 dev cable",
        *(f"ip -n {name} link set {link} up" for name in (server, client) for link in ("lo", "cable")),
        f"ip netns exec {server} nft add table inet probe",
        f"ip netns exec {server} nft add chain inet probe in {{ type filter hook input priority 0 ; }}",
        f"ip netns exec {server} nft add rule inet probe in udp dport 53 drop",
    ]
    for step in steps:
        done = subprocess.run(step.split(), capture_output=True, text=True)
        if done.returncode:
            return f"namespaces are not allowed here ({step}: {done.stderr.strip()})"
    # DNS queries go to the server, which receives them and never replies.
    (SETTINGS / client).mkdir(parents=True)
    (SETTINGS / client / "resolv.conf").write_text(f"nameserver {SERVER}\noptions timeout:5 attempts:1\n")
    (SETTINGS / client / "nsswitch.conf").write_text("hosts: dns\n")
    return None


@dataclass
class Case:
    """What happens to the cable, and what must come of it."""

    name: str
    # Number of bytes of the response before packets are dropped; None: they are dropped before the connection.
    after: int | None
    # Whether the network comes back.
    back: bool
    # Whether the rest of the response is sent during the outage, or only after it.
    answered_meanwhile: bool = True
    code: int = 0
    charge: str = "charged"
    charges: int = 1
    # The server's name, if it has to be resolved; the query is never answered.
    host: str = SERVER


CASES = [
    Case("an outage, in which the answer is sent", 0, back=True),
    Case("an outage, after which the answer is sent", 0, back=True, answered_meanwhile=False),
    Case("an outage in the middle of the answer", 100_000, back=True),
    Case("the peer vanishes after the request", 0, back=False, answered_meanwhile=False, code=11, charge="unknown"),
    Case("the peer vanishes in the middle of the answer", 100_000, back=False, code=30),
    Case("nobody is there", None, back=False, answered_meanwhile=False, code=10, charge="not_charged", charges=0),
    Case(
        "a lookup that hangs", None, back=False, answered_meanwhile=False, code=10, charge="not_charged", charges=0,
        host="gateway.test",
    ),
]


def inside(command: Path, client: str, scaled: bool) -> int:
    """In the server's namespace. The cases run side by side, each on a port of its own."""
    report = Report("network, scaled" if scaled else "network, in real time")
    lines = threading.Lock()
    scale = 1 / DIVISOR if scaled else 1
    with tempfile.TemporaryDirectory(prefix="network-") as folder, ThreadPoolExecutor(len(CASES)) as pool:
        def run(number: int) -> None:
            case = CASES[number]
            try:
                failure, remark = attempt(case, command, client, Path(folder) / str(number), scale)
            except Exception as error:
                failure, remark = f"{type(error).__name__}: {error}", ""
            with lines:
                report.line(case.name, failure, remark)

        list(pool.map(run, range(len(CASES))))
    return report.end()


def attempt(case: Case, command: Path, client: str, folder: Path, scale: float) -> tuple[str | None, str]:
    folder.mkdir()
    emulator = Emulator(command)
    relay = Relay(emulator.port, hold_after=case.after, host=SERVER)
    cable = Cable(relay.port)
    base_url, file = f"http://{case.host}:{relay.port}/v1", folder / "t-rex.png"
    if scale == 1:
        words = [command, "generate", "A T-Rex relaxing on a beach", "--response-format", "b64_json", "--json"]
        words += ["--base-url", base_url, "--allow-http", "-o", file]
    else:
        words = [command.parent / "examples" / "scaled_call", base_url, file, DIVISOR]
    if case.after is None:
        cable.cut()
    began = time.monotonic()
    process = subprocess.Popen(
        ["ip", "netns", "exec", client, *map(str, words)],
        cwd=folder, env=environment(base_url), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )
    try:
        if case.after is not None:
            assert relay.held.wait(60), "no answer came"
            cable.cut()
            began = time.monotonic()
        if case.answered_meanwhile:
            # In the middle of the outage.
            time.sleep(OUTAGE * scale / 2)
            relay.go.set()
        if case.back:
            # Not a guess: this duration is the one under test.
            time.sleep(max(0.0, OUTAGE * scale - (time.monotonic() - began)))
            cable.mend()
            relay.go.set()
        # TCP retransmits a lost packet after about as long as the outage lasted; the kernel's timers are not scaled.
        limit = FOUND_WITHIN * scale + (OUTAGE if case.back else 0)
        stdout, stderr = process.communicate(timeout=max(1.0, limit + 30 - (time.monotonic() - began)))
        took = time.monotonic() - began
    finally:
        process.kill()
        cable.mend()
        relay.close()
    try:
        failure = judge(case, emulator, process.returncode, json.loads(stdout), file)
        if failure is None and not case.back and took > FOUND_WITHIN * scale:
            failure = f"it took {took:.1f} s, and not {FOUND_WITHIN * scale:.0f}"
        remark = f"exit code {process.returncode} after {took:.1f} s"
        return failure and f"{failure}\n{remark}\n{stderr}{stdout[:2000]}", remark
    finally:
        emulator.stop()


def judge(case: Case, emulator: Emulator, code: int, answer: dict[str, Any], file: Path) -> str | None:
    charges = emulator.charges()
    if charges != case.charges:
        return f"it was paid {charges} times, and not {case.charges}"
    if code != case.code:
        return f"the exit code is not {case.code}"
    if code == 0:
        whole = file.read_bytes()[-8:-4] == b"IEND"
        return None if whole and len(answer["attempts"]) == 1 else "the picture did not come at once and whole"
    error = answer["error"]
    if file.exists():
        return "there is half a file"
    if error["charge"] != case.charge:
        return f"it is called {error['charge']}"
    ids = [attempt["client_request_id"] for attempt in error["attempts"]]
    if not all(ids) or (case.charges and len(ids) != 1):
        return f"its ids are {ids}"
    return None


class Cable:
    """What goes to and from one port; cut, all of it is dropped, and nobody is told."""

    def __init__(self, port: int) -> None:
        self.table = f"cut{port}"
        self.rules = (
            f"add table inet {self.table}\n"
            f"add chain inet {self.table} in {{ type filter hook input priority 0 ; }}\n"
            f"add chain inet {self.table} out {{ type filter hook output priority 0 ; }}\n"
            f'add rule inet {self.table} in iifname "cable" tcp dport {port} drop\n'
            f'add rule inet {self.table} out oifname "cable" tcp sport {port} drop\n'
        )
        self.is_cut = False

    def cut(self) -> None:
        subprocess.run(["nft", "-f", "-"], input=self.rules, text=True, check=True)
        self.is_cut = True

    def mend(self) -> None:
        if self.is_cut:
            subprocess.run(["nft", "delete", "table", "inet", self.table], check=True)
            self.is_cut = False


if __name__ == "__main__":
    sys.exit(main())
