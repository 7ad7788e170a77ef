#!/usr/bin/env python3
"""Malformed and mutated requests, byte by byte: each is answered with 4xx or served, or its connection is
closed at once; never a 5xx, never a wait, never a second answer after one that says close."""
import collections
import os
import random
import socket
import time
from concurrent.futures import ThreadPoolExecutor

from support.service import Service, demand, main, rounds

CLIENTS = 100
AT_ONCE = 10  # seconds, on a machine that is shared

HEAD = b"Host: localhost\r\n"
JSON = b"Content-Type: application/json\r\n"
BODY = b'{"t": [0, 1, 2]}'
TLS_HELLO = bytes.fromhex("16030100c8010000c40303") + bytes(range(189))

# Their end is plain, or what comes can't be one.
FORMS = {
    "garbage": b"\x01\x02\x00\xff\xfe garbage\r\n\r\n",
    "text": b"hello\r\n\r\n",
    "TLS": TLS_HELLO,
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "NUL in the line": b"GET /mod\0els HTTP/1.1\r\n" + HEAD + b"\r\n",
    "NUL that cuts the target": b"GET /models\0/m/versions HTTP/1.1\r\n" + HEAD + b"\r\n",
    "NUL that cuts a target with a host": b"GET http://localhost/models\0/m HTTP/1.1\r\n" + HEAD + b"\r\n",
    "NUL that cuts a query": b"GET /models?limit=1\0x HTTP/1.1\r\n" + HEAD + b"\r\n",
    "NUL that cuts the method": b"GET\0X /models HTTP/1.1\r\n" + HEAD + b"\r\n",
    "NUL that cuts the version": b"GET /models HTTP/1.1\0x\r\n" + HEAD + b"\r\n",
    "two blanks": b"GET  /models HTTP/1.1\r\n" + HEAD + b"\r\n",
    "a port that is none": b"GET /models HTTP/1.1\r\nHost: localhost:elsewhere.example\r\n\r\n",
    "a port beyond 65535": b"GET /models HTTP/1.1\r\nHost: localhost:99999\r\n\r\n",
    "NUL in a header": b"GET /models HTTP/1.1\r\nHost: local\0host\r\n\r\n",
    "NUL in a name": b"GET /models HTTP/1.1\r\nHo\0st: localhost\r\n\r\n",
    "a foreign authority": b"GET http://elsewhere.example/models HTTP/1.1\r\n" + HEAD + b"\r\n",
    "an authority of https": b"GET https://elsewhere.example/models HTTP/1.1\r\n" + HEAD + b"\r\n",
    "CONNECT": b"CONNECT elsewhere.example:443 HTTP/1.1\r\n" + HEAD + b"\r\n",
    "no Host": b"GET /models HTTP/1.1\r\n\r\n",
    "two Hosts": b"GET /models HTTP/1.1\r\n" + HEAD + HEAD + b"\r\n",
    "Content-Length x": b"POST /psp_kernel HTTP/1.1\r\n" + HEAD + b"Content-Length: x\r\n\r\n",
    "Content-Length -1": b"POST /psp_kernel HTTP/1.1\r\n" + HEAD + b"Content-Length: -1\r\n\r\n",
    "Content-Length 2^64": b"POST /psp_kernel HTTP/1.1\r\n" + HEAD + b"Content-Length: 18446744073709551616\r\n\r\n",
    "two lengths": b"POST /psp_kernel HTTP/1.1\r\n" + HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
    "length and chunks": b"POST /psp_kernel HTTP/1.1\r\n" + HEAD
                         + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a wrong coding": b"POST /psp_kernel HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n",
    "a bad chunk": b"POST /psp_kernel HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\nz\r\n{}\r\n0\r\n\r\n",
    "a negative chunk": b"POST /psp_kernel HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n",
    "a huge chunk": b"POST /psp_kernel HTTP/1.1\r\n" + HEAD
                    + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}\r\n0\r\n\r\n",
    "a long line": b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n" + HEAD + b"\r\n",
    "a long header": b"GET /models HTTP/1.1\r\n" + HEAD + b"X: " + b"a" * 100000 + b"\r\n\r\n",
    "many headers": b"GET /models HTTP/1.1\r\n" + HEAD + b"".join(b"X-%d: a\r\n" % i for i in range(5000)) + b"\r\n",
    "many parameters": b"GET /models?" + b"a&" * 5000 + b" HTTP/1.1\r\n" + HEAD + b"\r\n",
    "no colon": b"GET /models HTTP/1.1\r\n" + HEAD + b"nocolon\r\n\r\n",
    "a folded header": b"GET /models HTTP/1.1\r\n" + HEAD + b"X: a\r\n b\r\n\r\n",
    "a blank in a name": b"GET /models HTTP/1.1\r\n" + HEAD + b"X : a\r\n\r\n",
    "no version": b"GET /models\r\n\r\n",
    "HTTP/9.9": b"GET /models HTTP/9.9\r\n" + HEAD + b"\r\n",
    "a wrong version": b"GET /models HTTPS/1.1\r\n" + HEAD + b"\r\n",
    "blanks only": b"   \r\n\r\n",
    "a wrong Expect": b"POST /psp_kernel HTTP/1.1\r\n" + HEAD + b"Expect: x\r\nContent-Length: 2\r\n\r\n{}",
}

SEEDS = [
    b"GET /models HTTP/1.1\r\n" + HEAD + b"\r\n",
    b"GET /models?limit=2&cursor=x HTTP/1.1\r\n" + HEAD + b"Accept: application/json\r\nAccept-Encoding: gzip\r\n\r\n",
    b"POST /psp_kernel HTTP/1.1\r\n" + HEAD + JSON + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY,
    b"POST /psp_kernel HTTP/1.1\r\n" + HEAD + JSON + b"Transfer-Encoding: chunked\r\n\r\n10\r\n" + BODY + b"\r\n0\r\n\r\n",
    b"PUT /datasets/d HTTP/1.1\r\n" + HEAD + b"Content-Type: text/csv\r\nContent-Length: 12\r\n\r\na,label\n1,x\n",
    b"GET http://localhost/health/ready HTTP/1.1\r\n" + HEAD + b"Cookie: a=b; c=d\r\nX-Request-Id: me\r\n\r\n",
    b"POST /models HTTP/1.1\r\n" + HEAD + b"Expect: 100-continue\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
]
TOKENS = [b"\0", b"\r", b"\n", b"\r\n", b"\r\n\r\n", b" ", b"\t", b":", b"%00", b"%", b"?", b"&", b"#", b"\xff", b"-1",
          b"0", b"99999999999999999999", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Host: a\r\n",
          b"Connection: close\r\n", b"GET / HTTP/1.1\r\n", b"HTTP/1.0", b"Upgrade: h2c\r\n", b"a" * 40000]


def mutate(chance, request):
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(request) + 1)
        kind = chance.randrange(6)
        if kind == 0:
            request = request[:at] + bytes([chance.randrange(256)]) + request[at + 1:]
        elif kind == 1:
            request = request[:at] + request[at + chance.randint(1, 20):]
        elif kind == 2:
            request = request[:at] + request[max(0, at - chance.randint(1, 30)):]
        elif kind == 3:
            other = chance.choice(SEEDS)
            request = request[:at] + other[chance.randrange(len(other)):]
        else:
            request = request[:at] + chance.choice(TOKENS) + request[at:]
    return request or b"\n"


def exchange(port, request, ends):
    """All that is answered until the server closes the connection; `ends`: the client closes its side."""
    client = socket.create_connection(("127.0.0.1", port), timeout=AT_ONCE)
    answer = b""
    try:
        client.sendall(request)
        if ends:
            client.shutdown(socket.SHUT_WR)
        while piece := client.recv(65536):
            answer += piece
            if not ends and is_whole(answer):
                break
    except TimeoutError:
        demand(False, "neither answered nor closed at once:", request[:300], answer[:300])
    except OSError:
        pass  # the server has closed it before it had read all
    finally:
        client.close()
    return answer


def split(answer):
    """The first answer, its body, and what follows. None: it is not whole."""
    head, found, rest = answer.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    if not found:
        return None
    headers = dict(line.lower().split(b": ", 1) for line in lines[1:] if b": " in line)
    if lines[0].startswith(b"HTTP/1.1 1"):
        return split(rest)
    length = int(headers.get(b"content-length", b"0"))
    return (lines[0], headers, rest[:length], rest[length:]) if len(rest) >= length else None


def is_whole(answer):
    return split(answer) is not None


def look_at(request, answer, statuses):
    follows, count = answer, 0
    while follows:
        parts = split(follows)
        if parts is None:  # cut off, as the client had not sent all
            break
        line, headers, body, follows = parts
        demand(line.startswith((b"HTTP/1.1 ", b"HTTP/1.0 ")), "not an answer:", line[:100], "to", request[:300])
        status = int(line[9:12])
        statuses[status] += 1
        count += 1
        if status == 505:  # the library's, and right: a version of HTTP that it does not know
            continue
        demand(status < 500, "a status of", status, "to", request[:300], body[:300])
        if status >= 400:
            demand(b"microhttpd" not in body.lower(), "the library is named:", body[:200])
        if status == 431 and body.startswith(b"HTTP/1.1 431 "):  # the library's: see docs/reliability.md
            statuses["431 with two heads"] += 1
            break
        if b"close" in headers.get(b"connection", b""):
            demand(not follows, "bytes follow an answer that closes:", follows[:200], "to", request[:300])
    return count


def script():
    seed = int(os.environ.get("SEED", random.randrange(1 << 32)))
    chance = random.Random(seed)
    service = Service("--log", "errors", "--request-timeout", "60")
    statuses, unanswered, slowest = collections.Counter(), 0, 0.0
    for name, request in FORMS.items():
        begin = time.monotonic()
        look_at(request, exchange(service.port, request, ends=False), statuses)
        demand(not statuses[200], "served:", name)
        slowest = max(slowest, time.monotonic() - begin)
    requests = [mutate(chance, chance.choice(SEEDS)) for _ in range(rounds(2000))]
    times, other = [], service.client()
    with ThreadPoolExecutor(CLIENTS) as clients:
        answers = clients.map(lambda request: exchange(service.port, request, ends=True), requests)
        for request, answer in zip(requests, answers):
            unanswered += look_at(request, answer, statuses) == 0
            begin = time.monotonic()
            other.expect(200, "GET", "/health/live")
            times.append(time.monotonic() - begin)
    service.stop()
    service.finish()
    answers = ", ".join(f"{status}: {statuses[status]}" for status in sorted(statuses, key=str))
    return (f"{len(FORMS)} malformed forms and {len(requests)} mutants (SEED={seed}): {answers}, closed without an answer: "
            f"{unanswered}; the slowest form {slowest * 1000:.0f} ms; p99 of others {sorted(times)[len(times) * 99 // 100] * 1000:.1f} ms")


if __name__ == "__main__":
    main(script)
