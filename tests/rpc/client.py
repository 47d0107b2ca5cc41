# SPDX-License-Identifier: Apache-2.0
"""Small clients for the tests of the node: HTTP, WebSocket and IPC on bare sockets, so that they can also misbehave."""

import base64
import json
import os
import re
import signal
import socket
import struct
import subprocess


class Node:
    """A node of our own on a free port; `with Node(program) as n`."""

    def __init__(self, program, *options, ipc=None):
        command = [program, "node", "--port", "0", *options]
        if ipc:
            command += ["--ipc", ipc]
        self.ipc = ipc
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.lines = []
        self.port = 0
        for line in self.process.stdout:
            self.lines.append(line)
            found = re.search(r"http://[^ :]+:(\d+)", line)
            if found:
                self.port = int(found.group(1))
                break
        if not self.port:
            raise RuntimeError("the node did not start: " + "".join(self.lines))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise

    def stop(self):
        """SIGTERM; the exit code and what it printed since it started."""
        self.process.send_signal(signal.SIGTERM)
        text, _ = self.process.communicate(timeout=20)
        return self.process.returncode, text

    def memory(self):
        """Resident bytes."""
        with open(f"/proc/{self.process.pid}/status") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1)) * 1024


def connect(port, timeout=20):
    s = socket.create_connection(("127.0.0.1", port), timeout=timeout)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


class Http:
    """One keep-alive connection."""

    def __init__(self, port, timeout=20):
        self.socket = connect(port, timeout)
        self.rest = b""

    def close(self):
        self.socket.close()

    def until(self, end):
        while end not in self.rest:
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionError("closed")
            self.rest += data
        head, self.rest = self.rest.split(end, 1)
        return head

    def exactly(self, size):
        while len(self.rest) < size:
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionError("closed")
            self.rest += data
        data, self.rest = self.rest[:size], self.rest[size:]
        return data

    def receive(self):
        """Status, headers and body of the next answer."""
        head = self.until(b"\r\n\r\n").decode()
        lines = head.split("\r\n")
        status = int(lines[0].split()[1])
        headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
        body = b""
        if headers.get("transfer-encoding") == "chunked":
            while True:
                size = int(self.until(b"\r\n"), 16)
                body += self.exactly(size)
                self.exactly(2)
                if size == 0:
                    break
        elif status not in (101, 204):
            body = self.exactly(int(headers.get("content-length", "0")))
        return status, headers, body

    def post(self, body, **headers):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        lines = {"Host": "127.0.0.1", "Content-Type": "application/json", "Content-Length": str(len(body))}
        lines.update({k.replace("_", "-"): v for k, v in headers.items()})
        head = "POST / HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items()) + "\r\n"
        self.socket.sendall(head.encode() + body)
        return self.receive()

    def call(self, method, *params):
        status, _, body = self.post({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
        answer = json.loads(body)
        if status != 200 or "error" in answer:
            raise RuntimeError(body.decode())
        return answer["result"]


class WebSocket:
    def __init__(self, port, timeout=20, **headers):
        self.http = Http(port, timeout)
        lines = {
            "Host": "127.0.0.1",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        }
        lines.update({k.replace("_", "-"): v for k, v in headers.items()})
        head = "GET / HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items()) + "\r\n"
        self.http.socket.sendall(head.encode())
        self.status, self.headers, self.body = self.http.receive()
        self.socket = self.http.socket

    def close(self):
        self.socket.close()

    @staticmethod
    def frame(payload, opcode=1, fin=True, masked=True, rsv=0):
        head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
        bit = 0x80 if masked else 0
        size = len(payload)
        if size < 126:
            head += bytes([bit | size])
        elif size < 65536:
            head += bytes([bit | 126]) + struct.pack(">H", size)
        else:
            head += bytes([bit | 127]) + struct.pack(">Q", size)
        if not masked:
            return head + payload
        mask = os.urandom(4)
        repeated = mask * (size // 4 + 1)
        mixed = (int.from_bytes(payload, "big") ^ int.from_bytes(repeated[:size], "big")).to_bytes(size, "big")
        return head + mask + mixed

    def send(self, payload, **how):
        if not isinstance(payload, bytes):
            payload = json.dumps(payload).encode()
        self.socket.sendall(self.frame(payload, **how))

    def receive_frame(self):
        """(fin, opcode, payload)"""
        first, second = self.http.exactly(2)
        if second & 0x80:
            raise RuntimeError("the server masks")
        size = second & 0x7F
        if size == 126:
            size = struct.unpack(">H", self.http.exactly(2))[0]
        elif size == 127:
            size = struct.unpack(">Q", self.http.exactly(8))[0]
        return bool(first & 0x80), first & 0x0F, self.http.exactly(size)

    def receive(self):
        """The next message: (opcode, payload). Parts are put together."""
        payload = b""
        kind = None
        while True:
            fin, opcode, data = self.receive_frame()
            if opcode >= 8:
                return opcode, data
            kind = opcode if kind is None else kind
            payload += data
            if fin:
                return kind, payload

    def close_code(self):
        """Reads until the server closes; the code it gives, None when it gives none."""
        try:
            while True:
                opcode, data = self.receive()
                if opcode == 8:
                    return struct.unpack(">H", data[:2])[0] if len(data) >= 2 else None
        except (ConnectionError, OSError):
            return None

    def call(self, method, *params, id=1):
        self.send({"jsonrpc": "2.0", "id": id, "method": method, "params": list(params)})
        while True:
            opcode, data = self.receive()
            if opcode != 1:
                raise RuntimeError(f"opcode {opcode}")
            answer = json.loads(data)
            if answer.get("id") == id:
                if "error" in answer:
                    raise RuntimeError(data.decode())
                return answer["result"]


class Ipc:
    def __init__(self, path, timeout=20):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")

    def close(self):
        self.socket.close()

    def call(self, method, *params):
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        self.socket.sendall(json.dumps(request).encode())
        while True:
            answer = json.loads(self.file.readline())
            if answer.get("id") == 1:
                return answer
