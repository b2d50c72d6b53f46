"""A relay between the command and the emulator that holds responses back until they are released."""

from __future__ import annotations

import socket
import threading

PIECE = 64 * 1024


class Relay:
    """Listens on `host` and passes connections on to `port`. Of what comes back, `hold_after` bytes pass; the rest
    waits for `go`. `replace`: bytes in a small answer that are to read otherwise, of the same length."""

    def __init__(
        self,
        port: int,
        hold_after: int | None = None,
        replace: tuple[bytes, bytes] | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.to = ("127.0.0.1", port)
        self.hold_after = hold_after
        self.replace = replace
        self.held = threading.Event()
        self.go = threading.Event()
        self.listener = socket.create_server((host, 0))
        self.port: int = self.listener.getsockname()[1]
        self.accepting = threading.Thread(target=self._accept, daemon=True)
        self.accepting.start()

    def close(self) -> None:
        self.go.set()
        # If it were closed while a thread waits in it, the next socket could get its number before that thread has
        # ended.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.accepting.join()
        self.listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.create_connection(self.to)
            threading.Thread(target=self._pass_on, args=(near, far), daemon=True).start()
            threading.Thread(target=self._pass_back, args=(far, near), daemon=True).start()

    def _pass_on(self, near: socket.socket, far: socket.socket) -> None:
        try:
            while piece := near.recv(PIECE):
                far.sendall(piece)
            far.shutdown(socket.SHUT_WR)
        except OSError:
            far.close()

    def _pass_back(self, far: socket.socket, near: socket.socket) -> None:
        passed = 0
        try:
            while piece := far.recv(PIECE):
                if self.replace:
                    piece = piece.replace(*self.replace)
                if self.hold_after is not None and not self.go.is_set() and passed + len(piece) > self.hold_after:
                    now = self.hold_after - passed
                    near.sendall(piece[:now])
                    passed, piece = passed + now, piece[now:]
                    self.held.set()
                    self.go.wait()
                near.sendall(piece)
                passed += len(piece)
            near.shutdown(socket.SHUT_WR)
        except OSError:
            near.close()
