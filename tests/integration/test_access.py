# SPDX-License-Identifier: GPL-2.0-or-later
"""Getting at what runs: logs, forwarded ports, usage, terminals, files. Real sockets and ptys."""

import contextlib
import glob
import hashlib
import os
import re
import socket
import subprocess

import pytest

from harness import BUILD, IS_V2, SLOW, container, deployment, http_get, in_netns, pod, service, wait_for


def sh(text, name="main", **more):
    """A container that runs a script with the machine's own programs."""
    return container("/", "/bin/sh", "-c", text, name=name, **more)


@contextlib.contextmanager
def started(orch, *args, **kwargs):
    """orchctl while it runs, in the node's namespace; killed at the end if it is still there."""
    kwargs = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL,
              **kwargs}
    p = subprocess.Popen(orch.ns.enter(f"{BUILD}/orchctl", "--socket", orch.sock, *args), **kwargs)
    try:
        yield p
    finally:
        p.kill()
        p.communicate()


# ---- logs ----

SAYS = "for i in 1 2 3; do echo {0} $i; done; sleep 1000"


def two_pods(orch):
    orch.write("web.yaml", deployment("web", 2, sh(SAYS.format("one"), "one"),
                                      sh(SAYS.format("two"), "two"),
                                      pod_more={"initContainers": [sh("echo before", "init")]}))
    orch.wait_rollout("web")
    pods = [p["metadata"]["name"] for p in orch.wait_ready(2)]
    for p in orch.pods():
        for c, last in (("one", "one 3\n"), ("two", "two 3\n"), ("init", "before\n")):
            wait_for(lambda: orch.log_text(p, c).endswith(last), what=f"log of {c}")
    return pods


@pytest.mark.subset
def test_logs_of_several_pods(orch):
    a, b = two_pods(orch)
    said = lambda *args: orch.ctl("logs", *args).stdout
    lines = lambda p, c: [f"[pod/{p}/{c}] {c} {i}" for i in (1, 2, 3)]
    both = said("-l", "app=web", "-c", "one", "--prefix").splitlines()
    assert both in (lines(a, "one") + lines(b, "one"), lines(b, "one") + lines(a, "one"))
    assert said("-l", "app=web", "-c", "one") == "one 1\none 2\none 3\n" * 2
    every = said("-l", "app=web", "--all-containers", "--prefix").splitlines()
    assert sorted(every) == sorted(l for p in (a, b) for l in
                                   [f"[pod/{p}/init] before", *lines(p, "one"), *lines(p, "two")])
    # TYPE/NAME is one pod, unless all are asked for; then each line tells whose it is
    r = orch.ctl("logs", "deploy/web")
    assert r.stdout == "one 1\none 2\none 3\n"
    assert re.search(r"Found 2 pods, using pod/web-", r.stderr)
    assert 'Defaulted container "one" out of: one, two, init (init)' in r.stderr
    every = said("deploy/web", "--all-pods", "-c", "two").splitlines()
    assert sorted(every) == sorted(lines(a, "two") + lines(b, "two"))
    assert said(a, "init") == "before\n"
    r = orch.ctl("logs", a, "-c", "three", check=False)
    assert r.returncode == 1 and "container three is not valid for pod" in r.stderr


def test_logs_parts_of_a_log(orch):
    a, _ = two_pods(orch)
    said = lambda *args: orch.ctl("logs", a, "-c", "one", *args).stdout
    assert said("--tail=2") == "one 2\none 3\n"
    assert said("--limit-bytes=8") == "one 1\non"
    stamped = said("--timestamps").splitlines()
    stamps = [line.split(" ", 1)[0] for line in stamped]
    assert [line.split(" ", 1)[1] for line in stamped] == ["one 1", "one 2", "one 3"]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", s) for s in stamps)
    later = [line.split(" ", 1)[1] + "\n" for line in stamped if line.split(" ", 1)[0] >= stamps[2]]
    assert said("--since-time", stamps[2]) == "".join(later)
    assert said("--since-time", "2099-01-01T00:00:00Z") == ""
    assert said("--since", "1h") == "one 1\none 2\none 3\n"
    # of several pods the last ten lines each, unless said otherwise
    orch.write("ten.yaml", pod("ten", sh("seq 1 30; sleep 1000"), labels={"n": "ten"}))
    wait_for(lambda: orch.pod("ten") and orch.log_text(orch.pod("ten"), "main").endswith("30\n"))
    assert orch.ctl("logs", "-l", "n=ten").stdout.split() == [str(i) for i in range(21, 31)]
    assert orch.ctl("logs", "-l", "n=ten", "--tail=-1").stdout.split()[0] == "1"
    for wrong in (("--since=1h", "--since-time=2026-01-01T00:00:00Z"), ("--limit-bytes=0",),
                  ("--since-time=yesterday",), ("--all-containers",)):
        r = orch.ctl("logs", a, "-c", "one", *wrong, check=False)
        assert r.returncode == 1 and r.stderr, wrong


def test_logs_that_are_not_there(orch):
    orch.write("p.yaml", pod("p", sh("echo here; sleep 1000", "one"),
                             container("/nowhere", "/bin/true", name="two"), labels={"a": "p"}))
    wait_for(lambda: orch.pod("p") and orch.log_text(orch.pod("p"), "one") == "here\n")
    r = orch.ctl("logs", "p", "--all-containers", check=False)
    assert (r.returncode, r.stdout) == (1, "here\n") and r.stderr
    r = orch.ctl("logs", "p", "--all-containers", "--ignore-errors")
    assert r.stdout == "here\n" and r.stderr
    r = orch.ctl("logs", "-l", "a=nobody")
    assert (r.stdout, r.stderr) == ("", "No resources found in default namespace.\n")
    r = orch.ctl("logs", "-p", "p", "-c", "one", check=False)
    assert r.returncode == 1 and 'previous terminated container "one" in pod "p" not found' in r.stderr


def test_logs_follow_several(orch):
    text = ("for i in $(seq 1 400); do echo $i --------------------------------; done;"
            "until [ -e /tmp/end ]; do sleep 0.05; done")
    orch.write("web.yaml", deployment("web", 2, sh(text, "one"), sh(text, "two")))
    a, b = [p["metadata"]["name"] for p in orch.wait_ready(2)]
    r = orch.ctl("logs", "-f", "-l", "app=web", "--all-containers", "--max-log-requests=3",
                 check=False)
    assert r.returncode == 1
    assert "attempting to follow 4 log streams, but maximum allowed concurrency is 3" in r.stderr
    with started(orch, "logs", "-f", "-l", "app=web", "--all-containers", "--prefix", "--tail=-1",
                 text=True) as f:
        seen = [f.stdout.readline() for _ in range(1600)]
        for p in (a, b):
            for c in ("one", "two"):
                begin = f"[pod/{p}/{c}] "
                assert [l for l in seen if l.startswith(begin)] == \
                    [f"{begin}{i} --------------------------------\n" for i in range(1, 401)]


def test_logs_follow_through_rotation(orch):
    text = ("until [ -e /tmp/go ]; do sleep 0.05; done; seq -f '%08.0f" + " " + "x" * 230 + "' 100000;"
            "echo the end; sleep 1000")
    orch.write("p.yaml", pod("p", sh(text)))
    orch.wait_ready(1)
    with started(orch, "logs", "-f", "p", text=True) as f:
        orch.exec("p", "/bin/touch", "/tmp/go")
        for i in range(1, 100001):
            line = f.stdout.readline()
            assert line.startswith(f"{i:08d} x"), (i, line)
        assert f.stdout.readline() == "the end\n"
    uid = orch.pod("p")["metadata"]["uid"]
    assert len(glob.glob(f"{orch.logs}/default_p_{uid}/main/0.log.*")) >= 2
    # from the end backwards, through a file that was rotated away
    assert orch.ctl("logs", "p", "--tail=1").stdout == "the end\n"
    lines = orch.ctl("logs", "p", "--tail=60001").stdout.splitlines()
    assert len(lines) == 60001 and lines[0].startswith("00040001 ") and lines[-1] == "the end"


# ---- port-forward ----

# Listens on the loopback address only: says "hi", takes everything until the end, then answers.
SINK = """
import hashlib, socketserver, struct, socket
class H(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"hi")
        data = self.rfile.read()
        if data == b"reset":
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.request.close()
            return
        self.wfile.write(hashlib.sha256(data).hexdigest().encode())
class S(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
S(("127.0.0.1", 7000), H).serve_forever()
"""


@contextlib.contextmanager
def forwarded(orch, *args, n=1):
    """orchctl port-forward; yields the local ports that it listens on."""
    with started(orch, "port-forward", *args, text=True) as f:
        lines = [f.stdout.readline() for _ in range(n)]
        found = [re.fullmatch(r"Forwarding from 127\.0\.0\.1:(\d+) -> \d+\n", l) for l in lines]
        assert all(found), (lines, f.poll())
        yield [int(m[1]) for m in found]


def talk(port, data):
    """What comes back over a connection, of which our half is closed after data; chunks of it."""
    with socket.create_connection(("127.0.0.1", port), timeout=20 * SLOW) as s:
        greeting = s.recv(2)
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := s.recv(65536):
            answer += chunk
        return greeting, answer.decode()


def on_node(orch, fn, *args):
    return in_netns(orch.ns.pid, fn, *args)


@pytest.mark.subset
def test_port_forward(orch):
    orch.write("p.yaml", pod("p", container("/", "/usr/bin/python3", "-c", SINK,
                                            ports=[{"name": "sink", "containerPort": 7000}],
                                            readinessProbe={"exec": {"command": [
                                                "/usr/bin/python3", "-c",
                                                "import socket; socket.create_connection(('127.0.0.1', 7000))"]},
                                                "periodSeconds": 1})))
    orch.wait_ready(1)
    with forwarded(orch, "p", ":7000", "7777:sink", "7778:9", n=3) as (a, b, refused):
        assert (b, refused) == (7777, 7778)
        data = os.urandom(3 << 20)	# half-closed by us, answered afterwards
        for port in (a, b):
            assert on_node(orch, talk, port, data) == (b"hi", hashlib.sha256(data).hexdigest())
        # connections do not wait for each other
        s = on_node(orch, socket.create_connection, ("127.0.0.1", a))
        assert s.recv(2) == b"hi"
        assert on_node(orch, talk, a, b"x")[1] == hashlib.sha256(b"x").hexdigest()
        s.shutdown(socket.SHUT_WR)
        assert s.recv(100).decode() == hashlib.sha256(b"").hexdigest()
        s.close()
        # a reset is no end
        with pytest.raises(ConnectionResetError):
            on_node(orch, talk, a, b"reset")
        with pytest.raises(ConnectionResetError):
            on_node(orch, talk, refused, b"")
        # a new orchd, too, hands connections over
        orch.restart()
        orch.wait_ready(1)
        assert on_node(orch, talk, b, b"y")[1] == hashlib.sha256(b"y").hexdigest()
    with pytest.raises(ConnectionRefusedError):
        on_node(orch, talk, 7777, b"")


def test_port_forward_to_workloads(orch):
    orch.write("web.yaml",
               deployment("web", 2, container(orch.rootfs, "/bin/probe", "listen", "8080", "text",
                                              ports=[{"name": "http", "containerPort": 8080}],
                                              readinessProbe={"httpGet": {"port": 8080}})),
               service("web", 80, "http"))
    orch.wait_rollout("web")
    get = lambda port: on_node(orch, http_get, "127.0.0.1", port)[1].split()[-1]
    for args in (("svc/web", "8001:80"), ("svc", "web", "8001:80"), ("deploy/web", "8001:http"),
                 ("deployment", "web", "8001:8080")):
        with forwarded(orch, *args) as (port,):
            assert port == 8001 and get(port) == "text"
    with forwarded(orch, "service/web", "80") as (port,):
        assert port == 80 and get(80) == "text"
    for args, message in ((("svc/web", "81"), "does not have a port 81"),
                          (("deploy/web", "nope"), "does not have a port nope"),
                          (("web", "80"), 'pods "web" not found'),
                          (("deploy/web", "x:80"), "error parsing local port"),
                          (("deploy/web",), "expected 'port-forward")):
        r = orch.ctl("port-forward", *args, check=False)
        assert r.returncode == 1 and message in r.stderr, (args, r.stderr)
    with forwarded(orch, "deploy/web", "8001:8080"):
        r = orch.ctl("port-forward", "deploy/web", "8001:8080", check=False)
        assert r.returncode == 1 and "Unable to listen on port 8001" in r.stderr


# ---- top ----

def columns(text):
    return [re.split(r"\s{2,}|\s+$", line.strip()) for line in text.splitlines()]


def amounts(cells):
    """("12m", "3Mi") as numbers."""
    cpu, memory = (re.fullmatch(r"(\d+)(m|Mi)", c) for c in cells)
    assert (cpu[2], memory[2]) == ("m", "Mi")
    return int(cpu[1]), int(memory[1])


@pytest.mark.v2
@pytest.mark.subset
def test_top(orch):
    orch.write("busy.yaml", pod("busy", container(
        orch.rootfs, "/bin/probe", "spin", "1000", name="spin",
        resources={"limits": {"cpu": "200m", "memory": "32Mi"}}), container(
        orch.rootfs, "/bin/probe", "alloc", "48", "hold", name="big"), labels={"app": "busy"}))
    orch.write("idle.yaml", pod("idle", container(orch.rootfs, "/bin/probe", "sleep")))
    orch.wait_ready(2)
    p = orch.pod("busy")
    name = "memory.current" if IS_V2 else "memory.usage_in_bytes"
    wait_for(lambda: int(orch.cgroup_file(p, "big", "memory", name)) >= 48 << 20)
    rows = columns(orch.ctl("top", "pod", "busy", "--containers").stdout)
    assert rows[0] == ["POD", "NAME", "CPU(cores)", "MEMORY(bytes)"]
    used = {r[1]: amounts(r[2:]) for r in rows[1:] if r[0] == "busy"}
    assert set(used) == {"spin", "big"}
    assert 10 <= used["spin"][0] <= 230 and used["big"][0] <= 20, used	# of one CPU's time
    assert used["spin"][1] < 16 and 48 <= used["big"][1] < 64, used
    rows = columns(orch.ctl("top", "po", "--sort-by=memory").stdout)
    assert rows[0] == ["NAME", "CPU(cores)", "MEMORY(bytes)"]
    assert [r[0] for r in rows[1:]] == ["busy", "idle"]
    assert amounts(rows[1][1:])[1] >= 48 and amounts(rows[2][1:])[0] <= 20
    assert [r[0] for r in columns(orch.ctl("top", "pod", "-l", "app=busy").stdout)] == ["NAME", "busy"]
    assert columns(orch.ctl("top", "pod", "-A", "--no-headers").stdout)[0][:2] == ["default", "busy"]
    (head, node), = [columns(orch.ctl("top", "node").stdout)]
    assert head == ["NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)"]
    assert node[0] == "node1" and amounts((node[1], node[3]))[0] >= 10
    with open("/proc/meminfo") as f:
        total = int(f.readline().split()[1]) >> 10
    assert 48 <= amounts((node[1], node[3]))[1] < total
    assert 0 <= int(node[2].rstrip("%")) <= 100 and 0 <= int(node[4].rstrip("%")) <= 100
    r = orch.ctl("top", "pod", "nobody", check=False)
    assert r.returncode == 1 and 'podmetrics.metrics.k8s.io "default/nobody" not found' in r.stderr
    assert orch.ctl("top", "pod", "-n", "none").stderr == "No resources found in none namespace.\n"
    assert orch.ctl("top", "service", check=False).returncode == 1


def test_kubectl_top(kube):
    kube.write("p.yaml", pod("p", container(kube.rootfs, "/bin/probe", "sleep"), labels={"a": "b"}))
    kube.wait_ready(1)
    rows = columns(kube.kubectl("top", "pod").stdout)
    assert rows[0] == ["NAME", "CPU(cores)", "MEMORY(bytes)"] and rows[1][0] == "p"
    amounts(rows[1][1:])
    rows = columns(kube.kubectl("top", "pod", "-A", "--containers", "-l", "a=b").stdout)
    assert rows[1][:3] == ["default", "p", "main"]
    assert kube.kubectl("top", "pod", "p", "--no-headers").stdout.startswith("p ")
    rows = columns(kube.kubectl("top", "node").stdout)
    assert rows[1][0] == "node1" and re.fullmatch(r"\d+m", rows[1][1])
    metrics = kube.api("/apis/metrics.k8s.io/v1beta1/nodes/node1")
    assert (metrics["kind"], metrics["metadata"]["name"]) == ("NodeMetrics", "node1")
    assert "metrics.k8s.io/v1beta1" in kube.kubectl("api-versions").stdout
