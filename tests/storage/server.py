"""A server of objects and a proxy before it, as a process of its own that ends with its standard input.

The server is moto's S3, or with ``run`` the command that follows, told its port. With ``google`` the proxy speaks
Google's XML API to its callers, which differs from S3's in how conditions and copies are told: no server was found that
takes what object_store sends (fake-gcs-server refuses its PUT).

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
import subprocess
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler
from typing import Any

_HOP = frozenset({"connection", "transfer-encoding", "content-length", "keep-alive"})


class Proxy(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Hands requests on to ``target``; ``mode`` says how, and ``seen`` holds them."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, target: tuple[str, int]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.target = target
        self.mode: dict[str, Any] = {}
        self.generations: dict[str, int] | None = None
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
        if self.server.generations is not None:
            return self._of_google(body, headers, self.server.generations)
        return self._handed_on(self.path, body, headers)

    def _of_google(
        self, body: bytes, headers: dict[str, str], generations: dict[str, int]
    ) -> tuple[int, bytes, dict[str, str]]:
        path, mark, query = self.path.partition("?")
        path = urllib.parse.quote(urllib.parse.unquote(path))
        wanted = headers.pop("x-goog-if-generation-match", None)
        if "x-goog-copy-source" in headers:
            headers["x-amz-copy-source"] = urllib.parse.quote(urllib.parse.unquote(headers.pop("x-goog-copy-source")))
        headers["authorization"] = "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/s3/aws4_request"
        with self.server.lock:
            if wanted is not None and generations.get(path, 0) != int(wanted):
                return 412, _xml("PreconditionFailed", "At least one of the pre-conditions did not hold."), {}
            status, data, kept = self._handed_on(path + mark + query, body, headers)
            if self.command == "PUT" and status == 200:
                generations[path] = generations.get(path, 0) + 1
            if self.command == "DELETE":
                generations.pop(path, None)
            if path in generations:
                kept["x-goog-generation"] = str(generations[path])
        return status, data, kept

    def _handed_on(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
        connection = http.client.HTTPConnection(*self.server.target)
        connection.request(self.command, path, body, headers)
        found = connection.getresponse()
        data = found.read()
        kept = {name: value for name, value in found.getheaders() if name.lower() not in _HOP | {"server", "date"}}
        if self.command == "HEAD":
            kept["content-length"] = found.getheader("content-length") or "0"
        connection.close()
        return found.status, data, kept


def _xml(code: str, message: str) -> bytes:
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()


def _started(command: list[str]) -> tuple[subprocess.Popen[bytes], int]:
    """The command, as soon as it listens at the port that it was told."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([part.replace("PORT", str(port)) for part in command], stdout=subprocess.DEVNULL)
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return process, port
    raise SystemExit(f"{command[0]} doesn't run")


def main() -> None:
    """Print the proxy's port and the server's, and serve until standard input ends."""
    kind, *command = sys.argv[1:]
    child = None
    if kind == "run":
        child, port = _started(command)
    else:
        from moto.server import ThreadedMotoServer

        moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        moto.start()
        port = moto.get_host_and_port()[1]
    proxy = Proxy(("127.0.0.1", port))
    if kind == "google":
        proxy.generations = {}
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    print(json.dumps([proxy.server_address[1], port]), flush=True)
    sys.stdin.read()
    if child is not None:
        child.terminate()
        child.wait()


if __name__ == "__main__":
    main()
