# SPDX-License-Identifier: GPL-2.0-or-later
"""Probes and hooks that a shim leaves to orch-ask-http and orch-ask-grpc. The servers are real ones,
started in the pod's network namespace: what they saw is what was asked. The gRPC server speaks
HTTP/2 byte by byte, so that it can answer wrongly, too."""

import contextlib
import http.server
import os
import re
import select
import signal
import socket
import ssl
import struct
import subprocess
import threading

import pytest

from harness import (BUILD, cmdline, configmap, container, container_status, in_netns, is_ready, pod,
                     procs, start_time, wait_for)

ASK = f"{BUILD}/orch-ask-grpc"


def sleeper(**more):
    return container("/", "/bin/sleep", "1000", **more)


def probed(name, handler, kind="readinessProbe", periods=1, **more):
    probe = {**handler, "periodSeconds": 1, "timeoutSeconds": 3, "failureThreshold": periods}
    return pod(name, sleeper(**{kind: probe}, **more))


def running(orch, name="p"):
    """The pod once its container runs, and a process in its network namespace."""
    def pid():
        p = orch.pod(name)
        pids = p and orch.pids(p, "main")
        return pids and (p, min(pids))
    return wait_for(pid, 15, f"{name} runs")


def ready(orch, name="p"):
    p = orch.pod(name)
    return bool(p and is_ready(p))


def events(orch, reason):
    return [e["message"] for e in orch.get("events") if e["reason"] == reason]


class Web:
    """An HTTP server in a pod: .answers are (status, Location) by path, all else is 200."""

    def __init__(self, pid, port, tls=None, answers=None):
        self.requests, self.answers, self.resumed = [], answers or {}, []
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                web.requests.append((self.path, self.headers))
                web.resumed.append(getattr(self.connection, "session_reused", None))
                status, location = web.answers.get(self.path, (200, None))
                self.send_response(status)
                if location is not None:
                    self.send_header("Location", location)
                self.send_header("Content-Length", "3")
                self.end_headers()
                self.wfile.write(b"ok\n")

            def log_message(self, *args):
                pass

        self.server = in_netns(pid, lambda: http.server.ThreadingHTTPServer(("", port), Handler))
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True,
                                                 do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def paths(self):
        return [p for p, _ in self.requests]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def tls():
    """Of a server whose certificate nobody has signed, for another name, with a key of 1024 bits."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.load_cert_chain(os.path.join(os.path.dirname(__file__), "probe-server.pem"))
    return context


@pytest.fixture
def serve():
    """Makes servers that end with the test."""
    with contextlib.ExitStack() as stack:
        def start(cls, *args, **kwargs):
            server = cls(*args, **kwargs)
            stack.callback(server.close)
            return server
        yield start


# ---- HTTP ----

@pytest.mark.v2
@pytest.mark.subset
def test_https(orch, serve, tls):
    orch.write("p.yaml", probed("p", {"httpGet": {
        "port": "secure", "scheme": "HTTPS", "path": "/healthz?full=1",
        "httpHeaders": [{"name": "Host", "value": "shop.example"},
                        {"name": "X-Token", "value": "geheim"}]}},
        ports=[{"name": "secure", "containerPort": 8443}]))
    _, pid = running(orch)
    wait_for(lambda: events(orch, "Unhealthy"), 15, "nobody listens")
    assert events(orch, "Unhealthy") == ["Readiness probe failed: connection refused"]
    web = serve(Web, pid, 8443, tls)
    wait_for(lambda: ready(orch), 15, "the probe passes")
    path, headers = web.requests[0]
    assert path == "/healthz?full=1"
    assert headers["Host"] == "shop.example" and headers["X-Token"] == "geheim"
    assert headers["User-Agent"].startswith("kube-probe/") and headers["Accept"] == "*/*"
    web.answers["/healthz?full=1"] = 503, None
    wait_for(lambda: not ready(orch), 15, "the probe fails")
    wait_for(lambda: "Readiness probe failed: HTTP probe failed with statuscode: 503" in
             events(orch, "Unhealthy"), 10, "and says why")


@pytest.mark.v2
def test_plain_http_where_tls_is_asked_for_fails(orch, serve):
    orch.write("p.yaml", probed("p", {"httpGet": {"port": 8080, "scheme": "HTTPS"}}, periods=3))
    _, pid = running(orch)
    serve(Web, pid, 8080)
    wait_for(lambda: any("TLS handshake" in m for m in events(orch, "Unhealthy")), 15,
             "the failure is told")
    assert not ready(orch)


@pytest.mark.v2
@pytest.mark.subset
def test_redirects_on_the_same_host_are_followed(orch, serve, tls):
    orch.write("p.yaml", probed("p", {"httpGet": {
        "port": 8080, "path": "/a", "httpHeaders": [{"name": "X-Token", "value": "t"}]}}))
    p, pid = running(orch)
    ip = p["status"]["podIP"]
    secure = serve(Web, pid, 8443, tls)
    web = serve(Web, pid, 8080, answers={
        "/a": (302, "b?x=1"), "/b?x=1": (301, f"http://{ip}:8080/c"),
        "/c": (308, f"https://{ip}:8443/deep/../end")})
    wait_for(lambda: ready(orch), 15, "the probe passes")
    assert web.paths()[:3] == ["/a", "/b?x=1", "/c"]
    assert secure.paths()[0] == "/end" and secure.requests[0][1]["X-Token"] == "t"
    assert secure.requests[0][1]["Host"] == f"{ip}:8443"
    assert not events(orch, "ProbeWarning")
    secure.answers["/end"] = 500, None
    wait_for(lambda: not ready(orch), 15, "what counts is the last answer")


@pytest.mark.v2
def test_redirects_elsewhere_pass_with_a_warning_and_loops_fail(orch, serve):
    orch.write("p.yaml", probed("p", {"httpGet": {"port": 8080, "path": "/a"}}))
    _, pid = running(orch)
    web = serve(Web, pid, 8080, answers={"/a": (302, "http://away.example/x")})
    wait_for(lambda: ready(orch), 15, "a redirect to another host passes")
    wait_for(lambda: events(orch, "ProbeWarning"), 5, "with a warning")
    assert events(orch, "ProbeWarning") == [
        "Readiness probe warning: Probe terminated redirects, Location: http://away.example/x"]
    web.answers["/a"] = 302, "/a"
    wait_for(lambda: not ready(orch), 15, "a loop fails")
    wait_for(lambda: "Readiness probe failed: stopped after 10 redirects" in
             events(orch, "Unhealthy"), 5, "and says so")


@pytest.mark.v2
def test_hosts_by_address_and_by_name(orch, serve):
    """Both are reached from the pod; names are those that the pod knows."""
    orch.write("p.yaml", *[
        pod(name, sleeper(readinessProbe={**handler, "periodSeconds": 1, "timeoutSeconds": 3}),
            hostAliases=[{"ip": "127.0.0.7", "hostnames": ["alias.example"]}])
        for name, handler in {
            "p": {"httpGet": {"port": 8080, "host": "127.0.0.1", "path": "/n"}},
            "q": {"httpGet": {"port": 8080, "host": "alias.example"}},
            "r": {"tcpSocket": {"port": 8080, "host": "alias.example"}}}.items()])
    webs = {name: serve(Web, running(orch, name)[1], 8080) for name in "pqr"}
    for name in "pqr":
        wait_for(lambda name=name: ready(orch, name), 15, f"{name} is ready")
    assert webs["p"].requests[0][1]["Host"] == "127.0.0.1:8080"
    assert webs["q"].requests[0][1]["Host"] == "alias.example:8080"


@pytest.mark.v2
def test_hooks_by_https_and_through_redirects(orch, serve, tls):
    """What they ask for is asked once, whatever comes of it; the pod that asks is the host's own
    network, where the servers are there before the container."""
    plain = serve(Web, orch.ns.pid, 18080, answers={"/stop": (307, "/stopped")})
    secure = serve(Web, orch.ns.pid, 18443, tls, answers={"/start": (404, None)})
    orch.write("keep.yaml", configmap("one"), configmap("two"))
    orch.write("p.yaml", pod("p", sleeper(lifecycle={
        "postStart": {"httpGet": {"host": "127.0.0.1", "port": 18443, "scheme": "HTTPS",
                                  "path": "/start"}},
        "preStop": {"httpGet": {"host": "127.0.0.1", "port": 18080, "path": "/stop"}}}),
        hostNetwork=True))
    orch.wait_ready(1)
    assert secure.paths() == ["/start"]
    orch.remove("p.yaml")
    wait_for(lambda: not orch.pod("p"), 15, "the pod is gone")
    assert plain.paths() == ["/stop", "/stopped"]


@pytest.mark.v2
def test_who_asks_has_no_rights(orch, serve):
    """While it waits for an answer: its user, capabilities, namespace, control group and filter."""
    orch.write("p.yaml", probed("p", {"httpGet": {"port": 8080, "scheme": "HTTPS"}}))
    p, pid = running(orch)
    listener = in_netns(pid, lambda: socket.create_server(("", 8080)))
    seen = {}

    def look():
        for d in os.listdir("/proc"):
            with contextlib.suppress(OSError, ValueError):
                if not d.isdigit() or b"orch-ask-http" not in open(f"/proc/{d}/cmdline", "rb").read():
                    continue
                if os.readlink(f"/proc/{d}/ns/net") != os.readlink(f"/proc/{pid}/ns/net"):
                    continue
                status = dict(line.split(":\t", 1) for line in
                              open(f"/proc/{d}/status").read().splitlines() if ":\t" in line)
                if status["Seccomp"] == "2":
                    seen.update(status, cgroup=open(f"/proc/{d}/cgroup").read(),
                                fds=sorted(os.listdir(f"/proc/{d}/fd")))
        return seen
    wait_for(look, 20, "somebody asks", every=0.005)
    listener.close()
    uids = set(seen["Uid"].split())
    assert len(uids) == 1 and int(uids.pop()) >= 0x7f400000
    assert seen["Uid"] == seen["Gid"] and not seen["Groups"].strip()
    for caps in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(seen[caps], 16) == 0
    assert seen["NoNewPrivs"] == "1"
    assert f"pod{p['metadata']['uid']}/_shim" in seen["cgroup"]
    assert f"pod{p['metadata']['uid']}/main" not in seen["cgroup"]
    assert set(seen["fds"]) <= {"0", "1", "2", "3"}


# ---- those who ask stay ----

def askers(orch, p, program="orch-ask-http"):
    """The processes that ask for a pod, which are the shim's."""
    pids = set()
    for d in orch.cgroups(p["metadata"]["uid"], "_shim"):
        pids |= procs(d)
    return {pid for pid in pids if f"/{program} ".encode() in cmdline(pid)}


def answers_more(orch, web, n=2):
    before = len(web.requests)
    wait_for(lambda: len(web.requests) >= before + n, 30, "it is asked again")


@pytest.mark.v2
@pytest.mark.subset
def test_one_process_asks_all_questions(orch, serve, tls):
    """Through a restart of orchd, too; one that is killed is replaced; with the pod it ends. A
    session of TLS goes on from one question to the next."""
    orch.write("keep.yaml", configmap("one"), configmap("two"))
    orch.write("p.yaml", probed("p", {"httpGet": {"port": 8443, "scheme": "HTTPS"}}, periods=2))
    p, pid = running(orch)
    web = serve(Web, pid, 8443, tls)
    wait_for(lambda: ready(orch), 30, "the probe passes")
    answers_more(orch, web, 4)
    first, = askers(orch, p)
    assert web.resumed[0] is False and True in web.resumed
    orch.restart()
    answers_more(orch, web)
    assert askers(orch, p) == {first}
    told = len(events(orch, "Unhealthy"))
    os.kill(first, signal.SIGKILL)
    answers_more(orch, web)
    second, = askers(orch, p)
    assert second != first and ready(orch)
    assert len(events(orch, "Unhealthy")) - told <= 1  # it may have been in the middle of a question
    orch.remove("p.yaml")
    wait_for(lambda: not orch.pod("p"), 30, "the pod is gone")
    assert start_time(second) is None


@pytest.mark.v2
def test_a_server_that_hangs_holds_up_its_own_probe_only(orch, serve, tls):
    orch.write("p.yaml", pod("p", sleeper(
        readinessProbe={"httpGet": {"port": 8444, "scheme": "HTTPS"}, "periodSeconds": 1,
                        "timeoutSeconds": 6, "failureThreshold": 1},
        livenessProbe={"httpGet": {"port": 8443, "scheme": "HTTPS"}, "periodSeconds": 1,
                       "timeoutSeconds": 5, "initialDelaySeconds": 1, "failureThreshold": 30})))
    p, pid = running(orch)
    web = serve(Web, pid, 8443, tls)
    with in_netns(pid, lambda: socket.create_server(("", 8444))) as silent:
        wait_for(lambda: select.select([silent], [], [], 0)[0], 30, "somebody asks in vain")
        with silent.accept()[0] as c:
            answers_more(orch, web, 3)
            assert askers(orch, p)
            c.settimeout(30)
            while c.recv(4096):
                pass  # until it is given up
    assert not ready(orch)
    assert container_status(orch.pod("p"))["restartCount"] == 0


class Hanging(dict):
    """Answers that do not come until they may."""

    def __init__(self):
        self.asked, self.go_on = threading.Event(), threading.Event()

    def get(self, path, default=None):
        self.asked.set()
        self.go_on.wait(60)
        return default


@pytest.mark.v2
def test_one_that_ends_without_an_answer_is_a_failed_probe(orch, serve, tls):
    orch.write("p.yaml", pod("p", sleeper(readinessProbe={
        "httpGet": {"port": 8443, "scheme": "HTTPS"}, "periodSeconds": 1, "timeoutSeconds": 60,
        "failureThreshold": 1})))
    p, pid = running(orch)
    web = serve(Web, pid, 8443, tls)
    wait_for(lambda: ready(orch), 30, "the probe passes")
    web.answers = hanging = Hanging()
    assert hanging.asked.wait(30)
    asker, = askers(orch, p)
    os.kill(asker, signal.SIGKILL)
    wait_for(lambda: "Readiness probe failed: the program that asks ended with 137" in
             events(orch, "Unhealthy"), 30, "that is told")
    assert start_time(asker) is None
    hanging.go_on.set()
    wait_for(lambda: ready(orch), 30, "it is asked again")


class Asked:
    """A program that is asked as a shim does, in a pod's network."""

    def __init__(self, pid, program):
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(30)
        with theirs:
            self.process = subprocess.Popen(
                ["nsenter", "-t", str(pid), "-n", f"{BUILD}/{program}",
                 *"abcd"[:2 if "grpc" in program else 4]], stdin=theirs)

    def ask(self, *args, fds=(), **env):
        text = "".join(f"{k}={v}\0" for k, v in env.items()) + "\0x\0" + "".join(
            f"{a}\0" for a in args)
        socket.send_fds(self.socket, [text.encode()], fds)
        return self.socket.recv(1000).decode()

    def close(self):
        self.socket.close()
        assert self.process.wait(30) == 0


@pytest.mark.v2
@pytest.mark.subset
def test_questions_one_after_the_other(orch, serve, tls):
    """With other headers, other servers, mistakes in between, and connections given along."""
    orch.write("p.yaml", pod("p", sleeper()))
    _, pid = running(orch)
    secure = serve(Web, pid, 8443, tls, answers={"/bad": (500, None)})
    plain = serve(Web, pid, 8080, answers={"/away": (302, "http://away.example/")})
    program = serve(Asked, pid, "orch-ask-http")
    https = "https", "127.0.0.1", "8443"
    assert program.ask(*https, "/a", HEADERS="X-A: 1\r\n", HOST="a.example") == "0"
    assert program.ask(*https, "/bad") == "1HTTP probe failed with statuscode: 500"
    assert program.ask(*https, "/bad", "any") == "0"
    assert program.ask("http", "127.0.0.1", "8080", "/away").startswith("0Probe terminated redirects")
    assert program.ask("tcp", "127.0.0.1", "8081", "/") == "1connection refused"
    assert "TLS handshake" in program.ask("https", "127.0.0.1", "8080", "/")
    with in_netns(pid, lambda: socket.create_connection(("127.0.0.1", 8080))) as c:
        c.sendall(b"GET /away HTTP/1.1\r\nHost: a\r\n\r\n")
        assert program.ask("http", "127.0.0.1", "8080", "/away", fds=[c.fileno()]).startswith("0Probe")
    assert program.ask(*https, "/a") == "0"
    assert secure.paths() == ["/a", "/bad", "/bad", "/a"]
    assert plain.paths() == ["/away", "/away"]  # what was asked on a connection is not asked again
    heads = [headers for _, headers in secure.requests]
    assert (heads[0]["X-A"], heads[0]["Host"]) == ("1", "a.example")
    assert (heads[3]["X-A"], heads[3]["Host"]) == (None, "127.0.0.1:8443")
    assert sorted(os.listdir(f"/proc/{program.process.pid}/fd")) == ["0", "1", "2"]


# ---- gRPC ----

DATA, HEADERS, RST, SETTINGS, PING, GOAWAY, WINDOW, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9


def frame(kind, flags=0, stream=1, data=b""):
    return struct.pack(">I", len(data))[1:] + struct.pack(">BBI", kind, flags, stream) + data


def literal(name, value):
    return b"\0" + b"".join(bytes([len(t)]) + t for t in (name.encode(), value.encode()))


def message(status):
    body = b"\x08" + bytes([status]) if status else b""
    return b"\0" + struct.pack(">I", len(body)) + body


OK = b"\x88" + literal("content-type", "application/grpc")
DONE = literal("grpc-status", "0")
# "grpc-status: 0" in Huffman's code, to be remembered: as servers written in Go have it
HUFFMAN = bytes.fromhex("40889acac8b21234da8f0130")


def answer(status, trailers=DONE):
    return frame(HEADERS, 4, data=OK) + frame(DATA, 0, data=message(status)) + \
        frame(HEADERS, 5, data=trailers)


class Health:
    """A gRPC server with one answer, a function of the service's name; keeps what it was asked."""

    def __init__(self, pid, port, answer, greeting=frame(SETTINGS, 0, 0)):
        self.answer, self.greeting, self.services, self.paths = answer, greeting, [], []
        self.acks = 0
        self.listener = in_netns(pid, lambda: socket.create_server(("", port)))
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                c, _ = self.listener.accept()
                c.settimeout(10)
                with c, contextlib.suppress(OSError, EOFError):
                    self.talk(c)

    @staticmethod
    def read(c, n):
        data = b""
        while len(data) < n:
            more = c.recv(n - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def frames(self, c):
        while True:
            head = self.read(c, 9)
            n = int.from_bytes(head[:3], "big")
            yield head[3], head[4], int.from_bytes(head[5:], "big"), self.read(c, n)

    def talk(self, c):
        assert self.read(c, 24) == b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        c.sendall(self.greeting)
        for kind, flags, stream, data in self.frames(c):
            if kind == SETTINGS and flags & 1 or kind == PING and flags & 1:
                self.acks += 1
            if kind == HEADERS:
                assert data[:2] == b"\x83\x86" and b"application/grpc" in data, data
                self.paths.append(re.search(rb"/[a-z.0-9]+\.Health/Check", data)[0].decode())
            if kind == DATA:
                assert flags & 1 and stream == 1 and data[0] == 0
                assert int.from_bytes(data[1:5], "big") == len(data) - 5
                self.services.append(data[7:].decode() if len(data) > 5 else "")
                assert len(data) == 5 or (data[5] == 10 and data[6] == len(data) - 7)
                c.sendall(self.answer(self.services[-1]))

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@pytest.mark.v2
@pytest.mark.subset
def test_grpc(orch, serve):
    state = {"": 1, "db": 1}
    orch.write("p.yaml", probed("p", {"grpc": {"port": 50051, "service": "db"}}),
               probed("q", {"grpc": {"port": 50051}}))
    db = serve(Health, running(orch, "p")[1], 50051, lambda s: answer(state[s]))
    plain = serve(Health, running(orch, "q")[1], 50051, lambda s: answer(state[s], HUFFMAN))
    wait_for(lambda: ready(orch, "p") and ready(orch, "q"), 20, "both serve")
    assert set(db.services) == {"db"} and set(plain.services) == {""}
    assert set(db.paths) == {"/grpc.health.v1.Health/Check"}
    state["db"] = 2
    wait_for(lambda: not ready(orch, "p"), 15, "it serves no more")
    wait_for(lambda: 'Readiness probe failed: service unhealthy (responded with "NOT_SERVING")' in
             events(orch, "Unhealthy"), 5, "and that is told")
    assert ready(orch, "q")
    state["db"] = 1
    wait_for(lambda: ready(orch, "p"), 15, "it serves again")


@pytest.mark.v2
def test_grpc_liveness_restarts(orch, serve):
    orch.write("p.yaml", probed("p", {"grpc": {"port": 50051}}, "livenessProbe", periods=5))
    _, pid = running(orch)
    serve(Health, pid, 50051, lambda s: frame(HEADERS, 5, data=OK + literal("grpc-status", "12") +
                                              literal("grpc-message", "unknown service")))
    wait_for(lambda: any(c["restartCount"] for c in
                         (orch.pod("p") or {}).get("status", {}).get("containerStatuses", [])),
             20, "the container is restarted")
    assert any("does not implement the grpc health protocol" in m
               for m in events(orch, "Unhealthy"))


PASS = {
    "a ping, windows, unknown frames before": lambda s: (
        frame(PING, 0, 0, b"12345678") + frame(WINDOW, 0, 0, b"\0\0\1\0") + frame(99, 7, 1, b"x") +
        frame(WINDOW, 0, 1, b"\0\0\1\0") + answer(1)),
    "padding and priority": lambda s: (
        frame(HEADERS, 4 | 8 | 32, data=b"\2\0\0\0\0\7" + OK + b"\0\0") +
        frame(DATA, 8, data=b"\3" + message(1) + b"\0\0\0") + frame(HEADERS, 5, data=DONE)),
    "headers in pieces, a body in pieces": lambda s: (
        frame(HEADERS, 0, data=OK[:3]) + frame(CONTINUATION, 4, data=OK[3:]) +
        b"".join(frame(DATA, 0, data=message(1)[i:i + 1]) for i in range(7)) +
        frame(HEADERS, 1, data=DONE[:5]) + frame(CONTINUATION, 4, data=DONE[5:])),
    "going away after this stream": lambda s: (
        frame(GOAWAY, 0, 0, b"\0\0\0\1\0\0\0\0") + answer(1)),
    "fields of a later version": lambda s: (
        frame(HEADERS, 4, data=OK) +
        frame(DATA, 0, data=b"\0\0\0\0\x0c\x12\3abc\x08\x01\x1d\1\2\3\4") +
        frame(HEADERS, 5, data=DONE)),
}
FAIL = {
    "not serving": lambda s: answer(0),
    "a status of gRPC": lambda s: answer(1, literal("grpc-status", "14")),
    "no status": lambda s: answer(1, literal("x", "0")),
    "an HTTP status": lambda s: frame(HEADERS, 5, data=b"\x8d"),
    "no answer": lambda s: frame(HEADERS, 5, data=OK + DONE),
    "compressed": lambda s: (frame(HEADERS, 4, data=OK) + frame(DATA, 0, data=b"\1" + message(1)[1:]) +
                             frame(HEADERS, 5, data=DONE)),
    "wrong length": lambda s: (frame(HEADERS, 4, data=OK) + frame(DATA, 0, data=message(1) + b"\0") +
                               frame(HEADERS, 5, data=DONE)),
    "reset": lambda s: frame(HEADERS, 4, data=OK) + frame(RST, 0, 1, b"\0\0\0\2"),
    "another stream": lambda s: frame(HEADERS, 4, 3, OK) + answer(1),
    "no continuation": lambda s: frame(HEADERS, 0, data=OK) + answer(1),
    "a continuation of nothing": lambda s: frame(CONTINUATION, 4, data=OK) + answer(1),
    "padding that is too long": lambda s: frame(HEADERS, 4 | 8, data=b"\x7f" + OK) + answer(1),
    "a dynamic table": lambda s: frame(HEADERS, 4, data=b"\xbe") + answer(1),
    "a frame that is too large": lambda s: struct.pack(">IBI", 0xffffff00, 0, 1) + answer(1),
    "a ping of five bytes": lambda s: frame(PING, 0, 0, b"12345") + answer(1),
    "going away": lambda s: frame(GOAWAY, 0, 0, b"\0\0\0\0\0\0\0\0") + answer(1),
}


@pytest.mark.v2
@pytest.mark.subset
def test_answers_of_grpc_right_and_wrong(orch, serve):
    """The program itself, in the network of a pod."""
    orch.write("p.yaml", pod("p", sleeper()))
    _, pid = running(orch)
    current = {}
    server = serve(Health, pid, 50051, lambda s: current["answer"](s))

    def ask():
        return subprocess.run(["nsenter", "-t", str(pid), "-n", ASK, "127.0.0.1", "50051"],
                              capture_output=True, text=True, timeout=30)
    for name, current["answer"] in PASS.items():
        r = ask()
        assert (r.returncode, r.stdout, r.stderr) == (0, "", ""), name
    wait_for(lambda: server.acks > len(PASS), 10, "settings and a ping are acknowledged")
    program = serve(Asked, pid, "orch-ask-grpc")
    for name, current["answer"] in (PASS | FAIL).items():
        assert program.ask("127.0.0.1", "50051")[0] == ("0" if name in PASS else "1"), name
    current["answer"] = lambda s: answer(1)
    assert program.ask("127.0.0.1", "50051", SERVICE="db") == "0" and server.services[-1] == "db"
    for name, current["answer"] in FAIL.items():
        r = ask()
        assert r.returncode == 1 and r.stdout and not r.stderr, (name, r)
    server.greeting = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    assert ask().stdout == "error: health rpc probe failed: answer is not HTTP/2"


# ---- readiness gates ----

@pytest.mark.v2
def test_a_gate_that_nothing_opens_keeps_a_pod_from_its_service(orch):
    labels = {"app": "web"}
    orch.write("p.yaml", {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
                          "spec": {"selector": labels, "ports": [{"port": 80}]}},
               pod("open", sleeper(), labels=labels,
                   readinessGates=[{"conditionType": "ContainersReady"}]),
               pod("shut", sleeper(), labels=labels,
                   readinessGates=[{"conditionType": "x.io/balancer"}]))
    wait_for(lambda: ready(orch, "open"), 15, "the open one is ready")

    def conditions():
        p = orch.pod("shut")
        found = {c["type"]: c for c in p.get("status", {}).get("conditions", [])}
        return found if found.get("ContainersReady", {}).get("status") == "True" else None
    shut = wait_for(conditions, 15, "the containers of the other are")["Ready"]
    assert (shut["status"], shut["reason"]) == ("False", "ReadinessGatesNotReady")
    assert '"x.io/balancer" does not exist' in shut["message"]
    subset, = orch.get("endpoints", "web")["subsets"]
    assert [a["targetRef"]["name"] for a in subset["addresses"]] == ["open"]
    assert [a["targetRef"]["name"] for a in subset["notReadyAddresses"]] == ["shut"]
