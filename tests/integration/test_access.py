# SPDX-License-Identifier: GPL-2.0-or-later
"""Getting at what runs: logs, forwarded ports, usage, terminals, files. Real sockets and ptys."""

import contextlib
import fcntl
import glob
import hashlib
import os
import pathlib
import pty
import re
import select
import signal
import socket
import stat
import struct
import subprocess
import termios
import time

import pytest

from harness import (BUILD, IS_V2, SLOW, cmdline, container, container_status, deployment,
                     http_get, in_netns, never, pod, service, wait_for)


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
            "until [ -e /tmp/.orch-test-end ]; do sleep 0.05; done")
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
    text = ("until [ -e /tmp/.orch-test-go ]; do sleep 0.05; done; seq -f '%08.0f" + " " + "x" * 230 + "' 100000;"
            "echo the end; sleep 1000")
    orch.write("p.yaml", pod("p", sh(text)))
    orch.wait_ready(1)
    with started(orch, "logs", "-f", "p", text=True) as f:
        orch.exec("p", "/bin/touch", "/tmp/.orch-test-go")
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


# ---- terminals: attach and exec ----

class Terminal:
    """orchctl on a terminal of its own, as in a window of rows x cols."""

    def __init__(self, orch, *args, rows=30, cols=100):
        self.master, slave = pty.openpty()
        self.resize(rows, cols)
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.process = subprocess.Popen(
            orch.ns.enter(f"{BUILD}/orchctl", "--socket", orch.sock, *args), stdin=slave,
            stdout=slave, stderr=slave, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.seen = b""

    def resize(self, rows, cols):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def type(self, text):
        os.write(self.master, text.encode())

    def read(self, timeout):
        if not select.select([self.master], [], [], timeout)[0]:
            return False
        with contextlib.suppress(OSError):	# EIO: nobody has the other side any more
            chunk = os.read(self.master, 65536)
            self.seen += chunk
            return bool(chunk)
        return False

    def expect(self, text, timeout=20):
        """Waits until text was seen, forgets everything up to its end and returns what was before."""
        end = time.monotonic() + timeout * SLOW
        while text.encode() not in self.seen:
            assert time.monotonic() < end, f"no {text!r} in {self.seen!r}"
            self.read(0.2)
        before, self.seen = self.seen.split(text.encode(), 1)
        return before.decode()

    def wait(self, timeout=20):
        end = time.monotonic() + timeout * SLOW
        while self.process.poll() is None:
            assert time.monotonic() < end, f"still runs: {self.seen!r}"
            self.read(0.1)
        return self.process.returncode

    def is_as_before(self):
        return termios.tcgetattr(self.slave) == self.before

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)


PROMPT = {"name": "PS1", "value": "ready> "}


def sleep_in(orch, terminal):
    """A command of its shell, executed: before that signals are still for the shell."""
    terminal.type("sleep 1001\n")
    terminal.expect("sleep 1001")
    wait_for(lambda: b"sleep 1001 " in map(cmdline, orch.pids(orch.pod("p"), "main")))


@pytest.mark.subset
def test_attach_to_a_terminal(orch):
    orch.write("p.yaml", pod("p", container("/", "/bin/sh", tty=True, stdin=True, env=[PROMPT])))
    orch.wait_ready(1)
    with Terminal(orch, "attach", "-it", "p", rows=33, cols=111) as t:
        t.expect("ctrl-p ctrl-q detaches")
        t.type("\n")
        t.expect("ready> ")
        t.type("stty size; tty; echo $TERM; ls -l /proc/self/fd/2\n")
        seen = t.expect("/dev/pts/0")
        assert "33 111\r\n" in seen
        t.expect("xterm")
        t.expect("-> /dev/pts/0")
        t.expect("ready> ")
        t.resize(44, 122)
        wait_for(lambda: t.type("stty size\n") or "44 122" in t.expect("ready> "))
        sleep_in(orch, t)
        t.type("\x03")			# ctrl-c is for the process that sleeps
        t.expect("ready> ")
        t.type("KEPT=here\n")
        t.expect("ready> ")
        t.type("\x10\x11")
        assert t.wait() == 0 and t.is_as_before()
    orch.kill9()				# nobody needs it for a terminal that is there
    orch.start()
    orch.wait_ready(1)
    with Terminal(orch, "attach", "-it", "deploy/none") as t:
        assert t.wait() == 1
    with Terminal(orch, "attach", "-it", "p") as t:
        t.expect("detaches")
        t.type("echo \x10$KEPT still\n")	# a ctrl-p alone is passed on
        t.expect("here still")
        t.process.send_signal(signal.SIGHUP)	# to nsenter, which is orchctl by now
        assert t.wait() == 128 + signal.SIGHUP and t.is_as_before()
    assert orch.pod("p")["status"]["containerStatuses"][0]["restartCount"] == 0
    assert "here still\n" in orch.log_text(orch.pod("p"), "main")
    with Terminal(orch, "attach", "-it", "p") as t:
        t.expect("detaches")
        t.type("exit 3\n")
        assert t.wait() == 0 and t.is_as_before()
    wait_for(lambda: container_status(orch.pod("p")).get("restartCount") == 1)
    last = container_status(orch.pod("p"))["lastState"]["terminated"]
    assert last["exitCode"] == 3


def test_a_terminal_in_a_user_namespace(orch):
    """And of a user of its own, who can open what it has by its names."""
    orch.write("p.yaml", pod("p", container("/", "/bin/sh", tty=True, stdin=True, env=[PROMPT],
                                            securityContext={"runAsUser": 1234}), hostUsers=False))
    orch.wait_ready(1)
    with Terminal(orch, "attach", "-it", "p", rows=26, cols=82) as t:
        t.expect("detaches")
        t.type("\n")
        t.expect("ready> ")
        t.type("stty size; id -u; echo con >/dev/console; echo tty >/dev/tty; echo out >/dev/stdout\n")
        t.expect("26 82\r\n1234\r\n")
        t.expect("con\r\ntty\r\nout\r\n")
    with Terminal(orch, "debug", "-it", "p", "--image", "rootfs:/", "--target", "main", "--",
                  "/bin/sh") as t:
        t.expect("detaches")
        t.type("cat /proc/1/comm; head -c 12 /proc/self/uid_map\n")
        t.expect("sh\r\n         0")


def attached(orch, *args):
    return started(orch, "attach", *args, stdin=subprocess.PIPE, text=True)


@pytest.mark.v2
def test_attach_to_pipes(orch):
    cat = "while read line; do echo out $line; echo err $line >&2; done; echo end"
    orch.write("p.yaml", pod("p", container("/", "/bin/sh", "-c", cat, stdin=True)))
    orch.write("once.yaml", pod("once", container("/", "/bin/sh", "-c", cat, stdin=True,
                                                  stdinOnce=True), restartPolicy="Never"))
    orch.write("none.yaml", pod("none", sh("until [ -e /tmp/.orch-test-go ]; do sleep 0.05; done; echo went")))
    orch.wait_ready(3)
    for i in range(2):		# the input stays open for the next one
        with attached(orch, "-i", "p") as a:
            a.stdin.write(f"{i}\n")
            a.stdin.flush()
            assert (a.stdout.readline(), a.stderr.readline()) == (f"out {i}\n", f"err {i}\n")
            a.stdin.close()
            a.stdin = None
            never(lambda: a.poll() is not None, 0.3, "attach has ended")
    assert container_status(orch.pod("p"))["restartCount"] == 0
    assert sorted(orch.ctl("logs", "p").stdout.splitlines()) == ["err 0", "err 1", "out 0", "out 1"]
    with attached(orch, "-i", "once") as a:	# two see the output
        with attached(orch, "once") as b:
            wait_for(lambda: len(readers(orch, "once")) == 2)
            out, err = a.communicate("x\ny\n", timeout=20 * SLOW)
            assert (out, err) == ("out x\nout y\nend\n", "err x\nerr y\n")
            assert a.returncode == 0
            assert b.communicate(timeout=20 * SLOW) == (out, err)
    wait_for(lambda: orch.pod("once")["status"]["phase"] == "Succeeded")
    r = orch.ctl("attach", "once", check=False)
    assert r.returncode == 1 and "container not running (main)" in r.stderr
    with attached(orch, "-it", "none") as a:
        wait_for(lambda: readers(orch, "none"))
        orch.exec("none", "/bin/touch", "/tmp/.orch-test-go")
        out, err = a.communicate(timeout=20 * SLOW)
        assert out == "went\n" and "Unable to pass standard input" in err
        assert "Unable to use a TTY - container main did not allocate one" in err


def readers(orch, name):
    """The pipes to those who are attached to the standard output of a pod: what its shim writes to
    beside the log."""
    uid = orch.pod(name)["metadata"]["uid"]
    with open(f"{orch.run_dir}/pods/{uid}/state", "rb") as f:
        pid = struct.unpack("IIi", f.read(12))[2]
    ends = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/fdinfo/{fd}") as f:
            flags = int(re.search(r"flags:\s+(\d+)", f.read())[1], 8)
            target = os.readlink(f"/proc/{pid}/fd/{fd}")
            if target.startswith("pipe:") and flags & os.O_ACCMODE == os.O_WRONLY \
               and flags & os.O_NONBLOCK:
                ends.append(target)
    return ends[::2]		# of output and error output


def test_attach_that_does_not_read(orch):
    """It holds the container up, as a terminal would, and nobody else; going away, it lets go."""
    text = "until [ -e /tmp/.orch-test-go ]; do sleep 0.05; done; seq -f '%07.0f ------------------' 100000; echo end"
    orch.write("p.yaml", pod("p", sh(text + "; sleep 1000")))
    orch.write("q.yaml", pod("q", container(orch.rootfs, "/bin/probe", "ticker", "1000")))
    orch.wait_ready(2)
    said = lambda: orch.log_text(orch.pod("p"), "main")
    with attached(orch, "p") as a:
        wait_for(lambda: readers(orch, "p"))
        orch.exec("p", "/bin/touch", "/tmp/.orch-test-go")
        wait_for(said)
        size = wait_still(lambda: len(said()))
        assert size < 2 << 20, "it was not held up"
        lines = [a.stdout.readline() for _ in range(30000)]
        assert lines[-1] == "0030000 ------------------\n"
    wait_for(lambda: said().endswith("end\n"))
    assert len(said().splitlines()) == 100001


def wait_still(value):
    """Until a value is the same for a second."""
    last, since = value(), time.monotonic()
    while time.monotonic() - since < 1:
        time.sleep(0.1)
        now = value()
        if now != last:
            last, since = now, time.monotonic()
    return last


@pytest.mark.subset
def test_exec_on_a_terminal(orch):
    orch.write("p.yaml", pod("p", sh("sleep 1000")))
    orch.wait_ready(1)
    with Terminal(orch, "exec", "-it", "p", "--", "/usr/bin/env", "PS1=ready> ", "/bin/sh",
                  rows=21, cols=77) as t:
        t.expect("ready> ")
        t.type("stty size\n")
        t.expect("21 77")
        t.expect("ready> ")
        t.resize(22, 78)
        wait_for(lambda: t.type("stty size\n") or "22 78" in t.expect("ready> "))
        sleep_in(orch, t)
        t.type("\x03")
        t.expect("ready> ")
        t.type("exit 42\n")
        assert t.wait() == 42 and t.is_as_before()
    # the process of a terminal that hangs up hears of it
    alone = wait_for(lambda: len(orch.pids(orch.pod("p"), "main")) <= 2 and orch.pids(orch.pod("p"), "main"))
    with Terminal(orch, "exec", "-it", "p", "--", "/bin/sleep", "1000") as t:
        wait_for(lambda: len(orch.pids(orch.pod("p"), "main")) > len(alone))
        wait_for(lambda: not t.is_as_before(), what="orchctl has got its answer")
        t.process.terminate()
        assert t.wait() == 128 + signal.SIGTERM and t.is_as_before()
    wait_for(lambda: orch.pids(orch.pod("p"), "main") == alone)


@pytest.mark.v2
def test_exec_without_a_terminal(orch):
    orch.write("p.yaml", pod("p", container("/", "/bin/sleep", "1000")))
    orch.wait_ready(1)
    run = lambda *args, **more: orch.ctl("exec", *args, check=False, **more)
    data = "".join(f"{i}\n" for i in range(200000))	# both ways at once, more than pipes hold
    r = run("-i", "p", "--", "/bin/cat", input=data)
    assert (r.returncode, r.stdout == data) == (0, True)
    assert run("p", "--", "/bin/cat", input="not passed\n").stdout == ""
    assert run("-i", "p", "--", "/bin/sh", "-c", "exit 9", input="nobody reads\n").returncode == 9
    r = run("-it", "p", "--", "/bin/sh", "-c", "test -t 0 || echo none", input="")
    assert r.stdout == "none\n" and "Unable to use a TTY" in r.stderr
    assert run("p", "--", "/bin/sh", "-c", "kill -9 $$").returncode == 137
    r = run("p", "--", "/bin/nothing")
    assert r.returncode != 0 and '"/bin/nothing": stat /bin/nothing: no such file' in r.stderr


# ---- cp ----

def put(path, text="", mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def tree(top):
    """{name: what is there} of everything below."""
    found = {}
    for path in sorted(pathlib.Path(top).rglob("*")):
        st = path.lstat()
        kind = (f"-> {os.readlink(path)}" if stat.S_ISLNK(st.st_mode) else
                "/" if stat.S_ISDIR(st.st_mode) else path.read_text())
        found[str(path.relative_to(top))] = kind, oct(st.st_mode & 0o7777)
    return found


@pytest.mark.v2
@pytest.mark.subset
def test_cp_both_ways_without_a_program(orch, tmp_path):
    """The image holds nothing but a static program that sleeps."""
    orch.write("p.yaml", pod("p", container(orch.rootfs, "/bin/probe", "sleep", workingDir="/tmp",
                                            volumeMounts=[{"name": "v", "mountPath": "/v"}]),
                             volumes=[{"name": "v", "emptyDir": {}}]))
    orch.wait_ready(1)
    source = tmp_path / "site"
    put(source / "index.html", "hello", 0o640)
    put(source / "deep/er/tool", "#!x", 0o4755)
    os.symlink("deep/er/tool", source / "tool")
    os.mkdir(source / "empty", 0o700)
    big = os.urandom(5 << 20).hex()
    put(source / "big", big)
    orch.ctl("cp", source, "p:/v")		# into a directory that is there
    orch.ctl("cp", source, "default/p:/v/other")	# under a new name
    orch.ctl("cp", source / "index.html", "p:page")	# in the working directory
    assert orch.exec("p", "/bin/probe", "read", "/v/site/index.html").stdout == "line=hello\n"
    assert orch.exec("p", "/bin/probe", "read", "/tmp/page").stdout == "line=hello\n"
    uid = orch.pod("p")["metadata"]["uid"]
    volume = f"{orch.state}/pods/{uid}/volumes/v"
    expected = tree(source)
    expected["deep/er/tool"] = "#!x", "0o755"	# without set-user-ID
    assert tree(f"{volume}/site") == tree(f"{volume}/other") == expected
    back = tmp_path / "back"
    back.mkdir()
    orch.ctl("cp", "p:/v/site", back)
    orch.ctl("cp", "p:/v/site/", back / "named")
    orch.ctl("cp", "p:/v/site/tool", back / "link")	# what it leads to
    assert tree(back / "site") == tree(back / "named") == expected
    assert (back / "link").read_text() == "#!x" and not (back / "link").is_symlink()
    put(source / "index.html", "again", 0o600)	# replaced, not written into
    inode = os.stat(f"{volume}/site/index.html").st_ino
    orch.ctl("cp", source / "index.html", "p:/v/site")
    assert tree(f"{volume}/site")["index.html"] == ("again", "0o600")
    assert os.stat(f"{volume}/site/index.html").st_ino != inode
    for args, message in ((("p:/nothing", back), "/nothing: No such file or directory"),
                          ((source, "p:/no/where"), "No such file or directory"),
                          ((source / "big", "p:/v/new/"), "No such file or directory"),
                          ((source, back), "one of the two must be POD:PATH"),
                          ((source, "q:/v"), 'pods "q" not found'),
                          (("p:/v/site", back, "-c", "x"), "container x is not valid"),
                          ((source, "p:/proc/1/cwd/x"), "Too many levels of symbolic links")):
        r = orch.ctl("cp", *args, check=False)
        assert r.returncode == 1 and message in r.stderr, (args, r.stderr)


def test_cp_is_not_led_astray(orch, tmp_path):
    """Links that a container has put into its tree mean what they mean there, or nothing."""
    host = tmp_path / "host"
    put(host / "secret", "of the host")
    script = f"""
        mkdir -p /w/t/d /w/dir; cd /w/t; echo fine >file; echo in >/w/dir/own
        ln -s {host}/secret abs; ln -s ../../../../../../../..{host}/secret up; ln -s file good
        ln -s d/../../x sly; ln -s ../file d/also; ln -s {host} dirlink; mkfifo fifo
        ln -s {host} /w/hostdir; ln -s ../../../../../../.. /w/above; echo done; sleep 1000"""
    orch.write("p.yaml", pod("p", container("/", "/bin/sh", "-c", script, volumeMounts=[
        {"name": "w", "mountPath": "/w"}]), volumes=[{"name": "w", "emptyDir": {}}]))
    wait_for(lambda: orch.pod("p") and orch.log_text(orch.pod("p"), "main") == "done\n")
    # out: only what stays inside arrives
    back = tmp_path / "back"
    r = orch.ctl("cp", "p:/w/t", back)
    assert {k: v[0] for k, v in tree(back).items()} == {
        "file": "fine\n", "good": "-> file", "d": "/", "d/also": "-> ../file"}
    for name in ("abs", "up", "sly", "dirlink", "fifo"):
        assert f"left out /w/t/{name}:" in r.stderr, r.stderr
    # the root of the container is the end of all ways up
    assert orch.ctl("cp", "p:/w/above/w/dir/own", back).returncode == 0
    assert (back / "own").read_text() == "in\n"
    # into a directory that a link leads to: the container's of that name, never the host's
    before = tree(host)
    put(tmp_path / "evil", "evil")
    orch.ctl("cp", tmp_path / "evil", "p:/w/hostdir/planted", check=False)
    orch.ctl("cp", tmp_path / "evil", "p:/w/above/w/planted")
    assert tree(host) == before
    assert orch.exec("p", "/bin/cat", "/w/planted").stdout == "evil"
    # a link in the way is replaced; a directory's link is refused
    orch.ctl("cp", tmp_path / "evil", "p:/w/t/abs")
    assert (host / "secret").read_text() == "of the host"
    assert orch.exec("p", "/bin/cat", "/w/t/abs").stdout == "evil"
    os.symlink(host, back / "d2")
    (tmp_path / "up").mkdir()
    (tmp_path / "up/dirlink").mkdir()
    put(tmp_path / "up/dirlink/file", "x")
    r = orch.ctl("cp", tmp_path / "up/dirlink", "p:/w/t/dirlink", check=False)
    assert tree(host) == before
    # here, too: what lies in the way as a link is not followed
    os.unlink(back / "file")
    os.symlink(host / "secret", back / "file")
    (tmp_path / "again").mkdir()
    os.rename(back, tmp_path / "again/t")
    orch.ctl("cp", "p:/w/t", tmp_path / "again", check=False)
    assert (host / "secret").read_text() == "of the host"
    assert (tmp_path / "again/t/file").read_text() == "fine\n"


def test_cp_has_the_rights_of_the_container(orch, tmp_path):
    user = {"runAsUser": 4321, "runAsGroup": 4322}
    orch.write("u.yaml", pod("u", container("/", "/bin/sh", "-c", "umask 077; echo own >/tmp/own; sleep 1000",
                                            securityContext=user, volumeMounts=[
                                                {"name": "v", "mountPath": "/v"}]),
                             volumes=[{"name": "v", "emptyDir": {}}],
                             securityContext={"fsGroup": 4444}))
    orch.write("ro.yaml", pod("ro", container("/", "/bin/sleep", "1000",
                                              securityContext={"readOnlyRootFilesystem": True})))
    orch.write("ns.yaml", pod("ns", container("/", "/bin/sleep", "1000", volumeMounts=[
        {"name": "v", "mountPath": "/v"}]), hostUsers=False, volumes=[{"name": "v", "emptyDir": {}}]))
    orch.wait_ready(3)
    put(tmp_path / "f", "text", 0o644)
    orch.ctl("cp", tmp_path / "f", "u:/tmp/f")
    orch.ctl("cp", tmp_path / "f", "u:/v/f")		# by its group only
    out = orch.exec("u", "/usr/bin/stat", "-c", "%u %g", "/tmp/f", "/v/f").stdout.split("\n")
    assert out[:2] == ["4321 4322", "4321 4444"]
    r = orch.ctl("cp", tmp_path / "f", "u:/etc/f", check=False)
    assert r.returncode == 1 and "Permission denied" in r.stderr
    r = orch.ctl("cp", "u:/etc/shadow", tmp_path / "shadow", check=False)
    assert r.returncode == 1 and "Permission denied" in r.stderr
    orch.ctl("cp", "u:/tmp/own", tmp_path / "own")
    assert (tmp_path / "own").read_text() == "own\n"
    r = orch.ctl("cp", tmp_path / "f", "ro:/tmp/f", check=False)
    assert r.returncode == 1 and "Read-only file system" in r.stderr
    for path in ("/v/f", "/tmp/f"):
        orch.ctl("cp", tmp_path / "f", f"ns:{path}")
        assert orch.exec("ns", "/usr/bin/stat", "-c", "%u %g", path).stdout == "0 0\n"
        orch.ctl("cp", f"ns:{path}", tmp_path / "back")
        assert (tmp_path / "back").read_text() == "text"


# ---- debug ----

def ephemeral(orch, pod, name):
    """("running"|"terminated"|..., details) of an ephemeral container."""
    for s in (orch.pod(pod) or {}).get("status", {}).get("ephemeralContainerStatuses", []):
        if s["name"] == name:
            return next(iter(s["state"].items()))
    return None, {}


LOOK = """
cat /proc/1/comm; hostname
for ns in pid net uts ipc mnt; do
    [ "$(readlink /proc/1/ns/$ns)" = "$(readlink /proc/self/ns/$ns)" ] && echo same $ns || echo own $ns
done; ls /proc/1/root/bin; exit 4
"""


@pytest.mark.subset
def test_debug(orch):
    orch.write("p.yaml", pod("p", container(orch.rootfs, "/bin/probe", "sleep"), labels={"a": "b"}))
    orch.wait_ready(1)
    first = orch.pod("p")
    # in the namespaces of an image that has no program to look with
    r = orch.ctl("debug", "p", "--image", "rootfs:/", "--target", "main", "-c", "look", "--",
                 "/bin/sh", "-c", LOOK)
    assert r.stdout == ""
    wait_for(lambda: ephemeral(orch, "p", "look")[0] == "terminated")
    assert orch.ctl("logs", "p", "-c", "look").stdout.split("\n")[:-1] == [
        "probe", "p", "same pid", "same net", "same uts", "same ipc", "own mnt", "probe"]
    end = ephemeral(orch, "p", "look")[1]
    assert (end["exitCode"], end["reason"]) == (4, "Error")
    seen = orch.pod("p")
    assert [(c["name"], c["image"]) for c in seen["spec"]["ephemeralContainers"]] == [("look", "rootfs:/")]
    text = orch.ctl("describe", "pod", "p").stdout
    assert text.index("\nContainers:\n  main:\n") < text.index("\nEphemeral Containers:\n  look:\n")
    assert "Exit Code:    4" in text
    # it is nobody's business but the pod's: nothing to do, nothing restarted, the pod is ready
    orch.wait_settled()
    assert orch.plan()["empty"] and container_status(seen)["restartCount"] == 0
    never(lambda: ephemeral(orch, "p", "look")[0] != "terminated", 1, "started again")
    orch.edit("p.yaml", '"a": "b"', '"a": "c"')
    wait_for(lambda: orch.pod("p")["metadata"]["labels"]["a"] == "c")
    seen = orch.wait_ready(1)[0]
    assert seen["metadata"]["uid"] == first["metadata"]["uid"]
    assert ephemeral(orch, "p", "look")[1]["exitCode"] == 4
    for args, message in ((("--image", "rootfs:/", "-c", "look"), "has a container look already"),
                          (("--image", "rootfs:/", "--target", "x"), "pod p has no container x"),
                          (("--image", "rootfs:/", "-c", "A_B"), "needs a name"),
                          ((), "expected 'debug")):
        r = orch.ctl("debug", "p", *args, "--", "/bin/true", check=False)
        assert r.returncode == 1 and message in r.stderr, (args, r.stderr)
    r = orch.ctl("debug", "-i", "p", "--image", "rootfs:/", "--", "/bin/nothing", check=False,
                 input="")
    assert r.returncode == 1 and "/bin/nothing: no such file" in r.stderr, r.stderr


@pytest.mark.subset
def test_debug_on_a_terminal_outlives_orchd(orch):
    orch.write("web.yaml", deployment("web", 1, container(orch.rootfs, "/bin/probe", "sleep", name="web")))
    p, = orch.wait_ready(1)
    name = p["metadata"]["name"]
    with Terminal(orch, "debug", "-it", "deploy/web", "--image", "rootfs:/", "--target", "web", "--",
                  "/bin/sh", rows=25, cols=81) as t:
        t.expect("Defaulting debug container name to ")
        debugger = t.expect(".\r\n")
        t.expect("ctrl-q detaches")
        t.type("stty size; cat /proc/1/comm; HERE=still\n")
        t.expect("25 81")
        t.expect("probe")
        t.type("\x10\x11")
        assert t.wait() == 0 and t.is_as_before()
    assert re.fullmatch("debugger-[a-z0-9]{5}", debugger)
    pids = wait_for(lambda: orch.pids(p, debugger))
    orch.restart()
    wait_for(lambda: ephemeral(orch, name, debugger)[0] == "running")
    assert orch.pids(p, debugger) == pids
    orch.wait_settled()
    with Terminal(orch, "attach", "-it", name, "-c", debugger) as t:
        t.expect("detaches")
        t.type("echo $HERE here\n")
        t.expect("still here")
        t.type("exit 5\n")
        assert t.wait() == 0
    wait_for(lambda: ephemeral(orch, name, debugger)[0] == "terminated")
    assert ephemeral(orch, name, debugger)[1]["exitCode"] == 5
    # with the processes that it looks at it ends, too, and with the pod it is gone
    orch.ctl("debug", name, "--image", "rootfs:/", "--target", "web", "-c", "two", "--", "/bin/sleep", "1000")
    orch.ctl("debug", name, "--image", "rootfs:/", "-c", "alone", "--", "/bin/sleep", "1000")
    for c in ("two", "alone"):
        wait_for(lambda: ephemeral(orch, name, c)[0] == "running")
    os.kill(min(orch.pids(p, "web")), signal.SIGKILL)
    wait_for(lambda: ephemeral(orch, name, "two")[0] == "terminated")
    assert ephemeral(orch, name, "alone")[0] == "running"
    orch.wait_ready(1)
    orch.remove("web.yaml")
    orch.apply(allowDelete="-1")
    wait_for(lambda: not orch.pod(name) and not orch.cgroups(p["metadata"]["uid"]))
