"""An S3 server (moto) and a proxy before it, as a process of its own that ends with its standard input.

Run in our process, a server in Python would wait for the GIL that the libraries' threads hold (facts.md, 35). The proxy
writes down each request, asks for the right keys, and fails when it is told to. It is told by ``POST /-/``, and asked
by ``GET /-/`` for the requests since the last time.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler
from typing import Any

_HOP = frozenset({"connection", "transfer-encoding", "content-length", "server", "date", "keep-alive"})


class Proxy(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Hands requests on to ``target``; ``mode`` says how, and ``seen`` holds them."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, target: tuple[str, int]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.target = target
        self.mode: dict[str, Any] = {}
        self.seen: list[dict[str, Any]] = []
        self.count = 0
        self.lock = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Proxy

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding") == "chunked":
            found = b""
            while (size := int(self.rfile.readline().split(b";")[0], 16)) > 0:
                found += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return found
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def _answer(self, status: int, data: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if "content-length" not in (headers or {}):
            self.send_header("content-length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _told(self, body: bytes) -> None:
        with self.server.lock:
            if self.command == "POST":
                self.server.mode, self.server.count = json.loads(body), 0
                self._answer(200, b"")
            else:
                seen, self.server.seen = self.server.seen, []
                self._answer(200, json.dumps(seen).encode())

    def _any(self) -> None:
        body = self._body()
        if self.path == "/-/":
            self._told(body)
            return
        server, mode = self.server, self.server.mode
        key = re.search(r"Credential=([^/]+)/", self.headers.get("authorization", ""))
        with server.lock:
            server.count += 1
            number = server.count
            seen = {"method": self.command, "path": self.path, "key": key and key[1], "status": None}
            server.seen.append(seen)
        if (odd := self._refusal(mode, seen)) is not None:
            seen["status"] = odd[0]
            self._answer(odd[0], odd[1])
            return
        every, after = mode.get("every", 0), mode.get("after", False)
        fails = bool(every) and number % every == 0
        if fails and not after:
            self._fail(mode)
            return
        status, data, headers = self._asked(body)
        seen["status"] = status
        if fails:
            self._fail(mode)
            return
        self._answer(status, data, headers)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _any

    def _refusal(self, mode: dict[str, Any], seen: dict[str, Any]) -> tuple[int, bytes] | None:
        bucket = self.path.lstrip("/").partition("?")[0].partition("/")[0]
        wanted = mode.get("keys", {}).get(bucket)
        if wanted is not None and seen["key"] != wanted:
            return 403, _xml("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
        if self.command in mode.get("forbidden", ()):
            return 403, _xml("AccessDenied", "Access Denied")
        if mode.get("moved"):
            return 301, _xml("PermanentRedirect", "The bucket you are attempting to access must be addressed elsewhere")
        return None

    def _fail(self, mode: dict[str, Any]) -> None:
        if mode.get("cut"):
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._answer(mode.get("status", 503), _xml("SlowDown", "Please reduce your request rate."))

    def _asked(self, body: bytes) -> tuple[int, bytes, dict[str, str]]:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        connection = http.client.HTTPConnection(*self.server.target)
        connection.request(self.command, self.path, body, headers)
        found = connection.getresponse()
        data = found.read()
        kept = {name: value for name, value in found.getheaders() if name.lower() not in _HOP}
        if self.command == "HEAD":
            kept["content-length"] = found.getheader("content-length") or "0"
        connection.close()
        return found.status, data, kept


def _xml(code: str, message: str) -> bytes:
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()


def main() -> None:
    """Print the proxy's port and the server's, and serve until standard input ends."""
    if len(sys.argv) > 1:
        target = ("127.0.0.1", int(sys.argv[1]))
    else:
        from moto.server import ThreadedMotoServer

        moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        moto.start()
        target = moto.get_host_and_port()
    proxy = Proxy(target)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    print(json.dumps([proxy.server_address[1], target[1]]), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
