#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clients that mean harm, or do not know better: limits hold, and others are served all the while. Prints TAP.

Usage: tests/rpc/hostile.py build/cevm [--full]        (--full: also what takes time, such as running into timeouts)
"""

import contextlib
import json
import os
import random
import resource
import struct
import sys
import tempfile
import threading
import time

from client import Http, Ipc, Node, WebSocket, connect

PROGRAM = sys.argv[1]
FULL = "--full" in sys.argv[2:]
SENDER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
LOOP = {"to": "0x" + "11" * 20, "gas": hex(10**15)}
LOOP_CODE = {"0x" + "11" * 20: {"code": "0x5b600056"}}
count = 0
failed = 0


def check(name, ok, note=""):
    global count, failed
    count += 1
    failed += not ok
    print(f"{'ok' if ok else 'not ok'} {count} - {name}" + (f" # {note}" if note and not ok else ""), flush=True)


@contextlib.contextmanager
def test(name):
    """A test is what its body raises nothing in."""
    try:
        yield
        check(name, True)
    except Exception as e:  # pylint: disable=broad-except
        check(name, False, f"{type(e).__name__}: {str(e)[:300]}".replace("\n", " "))


def equal(got, wanted):
    if got != wanted:
        raise AssertionError(f"{got!r} is not {wanted!r}")


def alive(node):
    """A fresh client is answered, and soon."""
    started = time.monotonic()
    http = Http(node.port)
    try:
        int(http.call("eth_blockNumber"), 16)
    finally:
        http.close()
    took = time.monotonic() - started
    if took > 2:
        raise AssertionError(f"answered after {took:.1f} s")


def code_of(node, body, **headers):
    """The error code a body is answered with, and that the connection goes on."""
    http = Http(node.port)
    try:
        status, _, answer = http.post(body, **headers)
        equal(status, 200)
        code = json.loads(answer)["error"]["code"]
        int(http.call("eth_blockNumber"), 16)
        return code
    finally:
        http.close()


# ---- Requests -----------------------------------------------------------------------------------------------------------


def requests(node):
    malformed = [
        b"", b" ", b"{", b"}", b"[", b"nul", b'"', b'{"id":1,}', b"\x00", b"\xff\xfe", b'{"id":1e999999}', b"{]",
        b'{"id":99999999999999999999999999}', b"[" * 200000, b'{"a":' * 100000, b"[[]" * 50000,
        b'{"id":1,"method":"eth_blockNumber"', b'"' + b"\\" * 100001, b'{"id":1,"method":"\xc3\x28"}',
    ]
    for body in malformed:
        with test(f"not JSON: {body[:20]!r} ({len(body)} bytes)"):
            equal(code_of(node, body), -32700)
    for body in [b"1", b"null", b"true", b'"x"', b"{}", b'{"id":1}', b'{"id":1,"method":5}', b'{"id":1,"method":null}',
                 b'{"id":{},"method":"eth_chainId"}', b'{"jsonrpc":"3","id":1,"method":"eth_chainId"}',
                 b'{"id":1,"method":"eth_chainId\\u0000x"}']:
        with test(f"no request: {body!r}"):
            equal(code_of(node, body), -32600)
    with test("an unknown method names a known one"):
        _, _, answer = Http(node.port).post({"id": 1, "method": "eth_getBlanace", "params": []})
        error = json.loads(answer)["error"]
        equal(error["code"], -32601)
        equal("eth_getBalance" in error["message"], True)
    for params in [[], ["0x12"], [5], [None], ["0x" + "zz" * 20], [SENDER, "newest"], [SENDER, "0x", 1], {"who": 1}, "x", 5,
                   [SENDER, {"blockHash": "0x12"}], [SENDER, {}], [{}], [[]], ["0x" + "1" * 100000], [SENDER, "0x" + "f" * 65]]:
        with test(f"wrong parameters: {str(params)[:60]}"):
            equal(code_of(node, {"id": 1, "method": "eth_getBalance", "params": params}), -32602)
    with test("parameters by name"):
        http = Http(node.port)
        _, _, answer = http.post({"id": 1, "method": "eth_getBalance", "params": {"block": "latest", "address": SENDER}})
        equal(int(json.loads(answer)["result"], 16) > 0, True)
    with test("ids come back as they were"):
        http = Http(node.port)
        for id in [0, -1, 1.5, "", "a\"\\\n\u20ac", None, True, 2**63 - 1]:
            _, _, answer = http.post({"jsonrpc": "2.0", "id": id, "method": "eth_chainId"})
            equal(json.loads(answer)["id"], id)
    with test("notifications are not answered"):
        http = Http(node.port)
        equal(http.post({"jsonrpc": "2.0", "method": "eth_chainId"})[0], 204)
        equal(http.post([{"jsonrpc": "2.0", "method": "eth_chainId"}] * 3)[0], 204)


def batches(node):
    one = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
    with test("a batch of 1000"):
        _, _, answer = Http(node.port).post([dict(one, id=i) for i in range(1000)])
        equal([a["id"] for a in json.loads(answer)], list(range(1000)))
    with test("a batch of 1001 is refused"):
        equal(code_of(node, [one] * 1001), -32005)
    with test("an empty batch"):
        equal(code_of(node, []), -32600)
    with test("a batch of rubbish"):
        _, _, answer = Http(node.port).post([1, [], {}, "x", None, one])
        equal([a.get("error", {}).get("code") for a in json.loads(answer)], [-32600] * 5 + [None])


def sizes(node):
    with test("33 MiB are refused by their announcement"):
        http = Http(node.port)
        http.socket.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 34603008\r\n\r\n{")
        equal(http.receive()[0], 413)
    with test("33 MiB are refused when they come unannounced"):
        http = Http(node.port)
        http.socket.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        piece = b"100000\r\n" + b" " * (1 << 20) + b"\r\n"
        with contextlib.suppress(OSError):
            for _ in range(33):
                http.socket.sendall(piece)
            http.socket.sendall(b"0\r\n\r\n")
        equal(http.receive()[0], 413)
    with test("31 MiB of blanks are read"):
        equal(code_of(node, b" " * (31 << 20)), -32700)
    with test("a name of 8 MiB"):
        equal(code_of(node, {"id": 1, "method": "x" * (8 << 20)}), -32601)
    with test("100,000 parameters"):
        equal(code_of(node, {"id": 1, "method": "eth_chainId", "params": [1] * 100000}), -32602)
    with test("chunked and 100-continue"):
        http = Http(node.port)
        body = b'{"id":1,"method":"eth_chainId"}'
        http.socket.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n")
        equal(http.until(b"\r\n\r\n").split()[1], b"100")
        for byte in body:
            http.socket.sendall(b"1\r\n" + bytes([byte]) + b"\r\n")
        http.socket.sendall(b"0\r\n\r\n")
        equal("result" in json.loads(http.receive()[2]), True)


def heads(node):
    rubbish = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), b"\r\n" * 1000, b"GET\r\n\r\n", b"X" * 100000,
        b"POST / HTTP/9.9\r\n\r\n", b"POST / HTTP/1.1\r\n" + b"A: b\r\n" * 20000 + b"\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        bytes(random.Random(1).randrange(256) for _ in range(5000)),
    ]
    for data in rubbish:
        with test(f"a head of {data[:30]!r}"):
            s = connect(node.port, 5)
            with contextlib.suppress(OSError):
                s.sendall(data)
                s.settimeout(0.2)
                s.recv(100)
            s.close()
            alive(node)
    for host, status in [("localhost", 200), ("127.0.0.1:8545", 200), ("[::1]:1", 200), ("a.localhost", 200),
                         ("evil.example", 403), ("evil.example:8545", 403), ("localhost.evil.example", 403), ("", 403)]:
        with test(f"Host: {host}: {status}"):
            equal(Http(node.port).post({"id": 1, "method": "eth_chainId"}, Host=host)[0], status)
    for origin, status in [("http://localhost:3000", 200), ("https://127.0.0.1", 200), ("http://[::1]:80", 200),
                           ("chrome-extension://abc", 200), ("https://evil.example", 403), ("null", 403),
                           ("http://localhost.evil.example", 403)]:
        with test(f"Origin: {origin}: {status}"):
            got, headers, _ = Http(node.port).post({"id": 1, "method": "eth_chainId"}, Origin=origin)
            equal((got, headers.get("access-control-allow-origin")), (status, origin if status == 200 else None))
    for name, headers, status in [("Host", {"Host": "evil.example"}, 403), ("Origin", {"Origin": "http://evil.example"}, 403),
                                  ("version", {"Sec_WebSocket_Version": "12"}, 426), ("key", {"Sec_WebSocket_Key": "x"}, 426)]:
        with test(f"a WebSocket with a bad {name}"):
            equal(WebSocket(node.port, **headers).status, status)


# ---- Calls --------------------------------------------------------------------------------------------------------------


def cpu(node):
    with open(f"/proc/{node.process.pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def calls(node):
    request = {"id": 1, "method": "eth_call", "params": [LOOP, "latest", LOOP_CODE]}
    with test("eth_call without end is ended, others are served"):
        waiting = [Http(node.port) for _ in range(8)]
        started = time.monotonic()
        threads = [threading.Thread(target=lambda h=h: answers.append(h.post(request))) for h in waiting]
        answers = []
        for t in threads:
            t.start()
        alive(node)
        for t in threads:
            t.join()
        equal(["error" in json.loads(a[2]) for a in answers], [True] * 8)
        equal(time.monotonic() - started < 10, True)
    with test("the call of a client that hangs up ends"):
        http = Http(node.port)
        body = json.dumps(dict(request, method="eth_call")).encode()
        http.socket.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        time.sleep(0.1)
        http.close()
        time.sleep(0.4)
        before = cpu(node)
        time.sleep(0.4)
        equal(cpu(node) - before < 0.2, True)


# ---- Connections --------------------------------------------------------------------------------------------------------


def slow(node):
    with test("200 senders that never end: others are served"):
        dripping = [connect(node.port) for _ in range(200)]
        for i, s in enumerate(dripping):
            s.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"[: 10 + i % 50] if i % 2 else
                      b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{")
        alive(node)
    if FULL:
        with test("and they are cut off"):
            started = time.monotonic()
            left = dripping
            while left and time.monotonic() - started < 50:
                still = []
                for s in left:
                    with contextlib.suppress(OSError):
                        s.sendall(b" ")
                        s.settimeout(0.001)
                        try:
                            if s.recv(1000) == b"":
                                continue
                        except TimeoutError:
                            still.append(s)
                left = still
                time.sleep(0.5)
            equal(len(left), 0)
    for s in dripping:
        s.close()


def many():
    with Node(PROGRAM, "--quiet", "--max-connections", "100") as node:
        with test("more connections than allowed: the one that waited longest goes, new ones are served"):
            idle = [connect(node.port) for _ in range(300)]
            alive(node)
            for s in idle:
                s.close()
            alive(node)
    amount = 4000 if FULL else 1500
    with Node(PROGRAM, "--quiet") as node:
        with test(f"{amount} connections at once"):
            clients = [Http(node.port) for _ in range(amount)]
            for http in clients[-1000:]:
                int(http.call("eth_blockNumber"), 16)
            alive(node)
            if node.memory() > 400 << 20:
                raise AssertionError(f"{node.memory() >> 20} MiB")
            for http in clients:
                http.close()
            alive(node)


# ---- WebSocket ----------------------------------------------------------------------------------------------------------


def frames(node):
    call = b'{"id":1,"method":"eth_chainId"}'
    with test("a text in parts, with a ping between"):
        w = WebSocket(node.port)
        w.send(call[:9], fin=False)
        w.send(b"hello", opcode=9)
        w.send(b"", opcode=0, fin=False)
        w.send(call[9:], opcode=0)
        answers = dict([w.receive(), w.receive()])
        equal(answers[10], b"hello")
        equal("result" in json.loads(answers[1]), True)
        w.send(struct.pack(">H", 1000) + b"bye", opcode=8)
        equal(w.close_code(), 1000)
    for name, how, code in [("not masked", {"masked": False}, 1002), ("reserved bits", {"rsv": 4}, 1002),
                            ("a reserved opcode", {"opcode": 3}, 1002), ("a part of nothing", {"opcode": 0}, 1002)]:
        with test(f"frame: {name}"):
            w = WebSocket(node.port)
            w.send(call, **how)
            equal(w.close_code(), code)
    for name, data in [("a ping in parts", WebSocket.frame(b"x", opcode=9, fin=False)),
                       ("a ping of 126 bytes", WebSocket.frame(b"x" * 126, opcode=9)),
                       ("2^62 bytes", b"\x81\xff" + struct.pack(">Q", 1 << 62) + b"abcdx"),
                       ("2^63 bytes", b"\x81\xff" + struct.pack(">Q", 1 << 63) + b"abcdx"),
                       ("rubbish", bytes(random.Random(2).randrange(256) for _ in range(3000)))]:
        with test(f"frame: {name}"):
            w = WebSocket(node.port)
            w.socket.sendall(data)
            w.close_code()
            alive(node)
    with test("text that is not UTF-8"):
        w = WebSocket(node.port)
        w.send(b'{"id":"\xc3\x28"}')
        equal(w.close_code(), 1007)
    with test("33 MiB in parts"):
        w = WebSocket(node.port)
        with contextlib.suppress(OSError):
            for i in range(33):
                w.send(b" " * (1 << 20), opcode=0 if i else 1, fin=False)
        equal(w.close_code() in (1009, None), True)
    with test("100,000 parts of nothing"):
        w = WebSocket(node.port)
        empty = WebSocket.frame(b"", opcode=0, fin=False) * 1000
        with contextlib.suppress(OSError):
            w.send(b"", fin=False)
            for _ in range(100):
                w.socket.sendall(empty)
        equal(w.close_code() in (1009, None), True)
    with test("a flood of pings"):
        w = WebSocket(node.port)
        pings = WebSocket.frame(b"x" * 125, opcode=9) * 1000
        reader = threading.Thread(target=w.close_code)
        reader.start()
        with contextlib.suppress(OSError):
            for _ in range(50):
                w.socket.sendall(pings)
        w.send(struct.pack(">H", 1000), opcode=8)
        reader.join()
        alive(node)
    with test("errors do not end a session"):
        w = WebSocket(node.port)
        for body in [b"{", b"[]", b"", b"[" * 100000]:
            w.send(body)
            equal("error" in json.loads(w.receive()[1]), True)
        int(w.call("eth_chainId"), 16)


def subscribers(node):
    amount, blocks = 200, 20
    with test(f"{amount} subscribers get {blocks} blocks each, in order"):
        sessions = [WebSocket(node.port) for _ in range(amount)]
        for w in sessions:
            w.call("eth_subscribe", "newHeads")
        http = Http(node.port)
        first = int(http.call("eth_blockNumber"), 16) + 1
        for _ in range(blocks):
            http.call("evm_mine")
        for w in sessions:
            numbers = [int(json.loads(w.receive()[1])["params"]["result"]["number"], 16) for _ in range(blocks)]
            equal(numbers, list(range(first, first + blocks)))
        for w in sessions[::2]:
            w.close()
        http.call("evm_mine")
        for w in sessions[1::2]:
            equal(json.loads(w.receive()[1])["method"], "eth_subscription")
            w.close()
    with test("a subscriber that does not read is dropped, others get everything"):
        http = Http(node.port)
        deaf, good = WebSocket(node.port), WebSocket(node.port)
        good.call("eth_subscribe", "newHeads")
        for _ in range(200):
            deaf.call("eth_subscribe", "newHeads")
        first = int(http.call("eth_blockNumber"), 16) + 1
        total = 150
        for _ in range(total):
            http.call("evm_mine")
        numbers = [int(json.loads(good.receive()[1])["params"]["result"]["number"], 16) for _ in range(total)]
        equal(numbers, list(range(first, first + total)))
        equal(deaf.close_code() in (1008, None), True)


def ipc(node):
    with test("IPC: texts one after the other, in pieces, and rubbish"):
        c = Ipc(node.ipc)
        c.socket.sendall(b'{"id":1,"method":"eth_chainId"}{"id":2,')
        equal(json.loads(c.file.readline())["id"], 1)
        c.socket.sendall(b'"method":"a}\\"{"}\n\n [{"id":3,"method":"eth_chainId"}]')
        equal(json.loads(c.file.readline())["error"]["code"], -32601)
        equal(json.loads(c.file.readline())[0]["id"], 3)
        c.socket.sendall(b"rubbish")
        equal(json.loads(c.file.readline())["error"]["code"], -32700)
        equal(c.file.readline(), b"")
    with test("IPC: the socket is this user's alone"):
        equal(oct(os.stat(node.ipc).st_mode & 0o777), "0o600")


# ---- End ----------------------------------------------------------------------------------------------------------------


def stopping():
    with test("SIGTERM under load: sessions are told, the exit code is 0"):
        node = Node(PROGRAM, "--quiet", "--timeout", "60000", "--call-gas-limit", str(10**15))
        w = WebSocket(node.port)
        w.call("eth_chainId")
        idle, busy = Http(node.port), Http(node.port)
        idle.call("eth_chainId")
        body = json.dumps({"id": 1, "method": "eth_call", "params": [LOOP, "latest", LOOP_CODE]}).encode()
        busy.socket.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        time.sleep(0.2)
        started = time.monotonic()
        code, _ = node.stop()
        equal(code, 0)
        equal(time.monotonic() - started < 4, True)
        equal(w.close_code(), 1001)
    with test("a port in use is said to be in use"):
        with Node(PROGRAM, "--quiet") as node:
            try:
                with Node(PROGRAM, "--quiet", "--port", str(node.port)):
                    raise AssertionError("both started")
            except RuntimeError as e:
                equal("in use" in str(e), True)


def main():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20000), hard))
    folder = tempfile.TemporaryDirectory()
    path = os.path.join(folder.name, "node.ipc")
    with folder, Node(PROGRAM, "--quiet", "--timeout", "700", "--call-gas-limit", str(10**15), ipc=path) as node:
        requests(node)
        batches(node)
        sizes(node)
        heads(node)
        calls(node)
        slow(node)
        frames(node)
        subscribers(node)
        ipc(node)
        with test("memory after all that"):
            if node.memory() > 300 << 20:
                raise AssertionError(f"{node.memory() >> 20} MiB")
    many()
    stopping()
    print(f"1..{count}")
    return 1 if failed else 0


sys.exit(main())
