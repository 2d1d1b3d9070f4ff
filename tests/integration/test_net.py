# SPDX-License-Identifier: GPL-2.0-or-later
"""Room net against the kernel: a node, pods and an outside client, each in a network namespace of
its own, and real sockets between them. The node is tests/helpers/net_node.c."""

import contextlib
import ctypes
import os
import select
import socket
import subprocess
import threading
import time

import pytest

BUILD = os.environ.get("BUILD", os.path.join(os.path.dirname(__file__), "../../build"))
SLOW = float(os.environ.get("ORCH_TEST_SLOW", "1"))	# emulation
HELPER = os.path.join(BUILD, "tests/helpers/net_node")
PODS, VIPS = "10.244.0.0/16", "10.96.0.0/16"
NODE = "10.244.0.1"
VIP, VIP2 = "10.96.0.10", "10.96.0.11"
EXT_NODE, EXT_CLIENT = "192.0.2.1", "192.0.2.2"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
libc = ctypes.CDLL(None, use_errno=True)


def inside(pid, fn, *args):
    """Runs fn in a thread that has joined the network namespace of pid: a socket stays there."""
    result = []

    def run():
        fd = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            if libc.setns(fd, 0x40000000):
                raise OSError(ctypes.get_errno(), "setns")
            result.append((True, fn(*args)))
        except BaseException as e:
            result.append((False, e))
        finally:
            os.close(fd)

    t = threading.Thread(target=run)
    t.start()
    t.join()
    ok, value = result[0]
    if not ok:
        raise value
    return value


class Server:
    """Answers each connection (or datagram) with its name and the peer's address as it sees it."""

    def __init__(self, pid, name, port=8080, udp=False):
        self.name = name
        kind = socket.SOCK_DGRAM if udp else socket.SOCK_STREAM
        self.sock = inside(pid, socket.socket, socket.AF_INET, kind)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind(("0.0.0.0", port))
        self.held = []
        self.stop_r, self.stop_w = os.pipe()
        if not udp:
            self.sock.listen(64)
        self.thread = threading.Thread(target=self.run_udp if udp else self.run_tcp)
        self.thread.start()

    def ready(self):
        return self.sock in select.select([self.sock, self.stop_r], [], [])[0]

    def run_tcp(self):
        while self.ready():
            c, peer = self.sock.accept()
            c.sendall(f"{self.name} {peer[0]}\n".encode())
            self.held.append(c)
            if len(self.held) > 50:
                self.held.pop(0).close()

    def run_udp(self):
        while self.ready():
            _, peer = self.sock.recvfrom(100)
            self.sock.sendto(f"{self.name} {peer[0]}\n".encode(), peer)

    def close(self):
        os.write(self.stop_w, b"x")
        self.thread.join()
        for s in [self.sock, *self.held]:
            s.close()
        os.close(self.stop_r)
        os.close(self.stop_w)


class World:
    def __init__(self):
        self.servers, self.pids = [], {}
        self.helper = subprocess.Popen(["unshare", "-n", HELPER], text=True, bufsize=1,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.client = subprocess.Popen(["unshare", "-n", "sleep", "1000"])
        self.node = self.helper.pid
        for p in (self.node, self.client.pid):
            while os.readlink(f"/proc/{p}/ns/net") == os.readlink("/proc/self/ns/net"):
                time.sleep(0.01)
        self.sh(f"ip link add ext0 type veth peer name eth0 netns {self.client.pid}")
        self.sh(f"ip addr add {EXT_NODE}/24 dev ext0 && ip link set ext0 up")
        self.sh(f"ip link set lo up; ip addr add {EXT_CLIENT}/24 dev eth0; ip link set eth0 up",
                self.client.pid)
        self.sh("echo 1 >/proc/sys/net/ipv4/conf/all/rp_filter")
        self.do(f"new {PODS} {VIPS}")

    def sh(self, command, pid=None):
        return subprocess.run(["nsenter", "-t", str(pid or self.node), "-n", "sh", "-c", command],
                              check=True, text=True, capture_output=True).stdout

    def do(self, command):
        self.helper.stdin.write(command + "\n")
        answer = self.helper.stdout.readline().strip()
        assert answer.startswith("ok"), f"{command}: {answer}"
        return answer.split()[1:]

    def pod(self, name, udp=False):
        ip, pid, ifname = self.do("pod")
        self.pids[ip] = int(pid)
        if name:
            self.servers.append(Server(int(pid), name, udp=udp))
        return ip

    def services(self, *rows, reset=False):
        for r in rows:
            self.do("svc " + r)
        return int(self.do("apply reset" if reset else "apply")[0])

    def close(self):
        for s in self.servers:
            s.close()
        self.helper.stdin.close()
        self.helper.wait()
        self.client.kill()
        self.client.wait()


def connect(pid, ip, port, timeout=2, source=None):
    def go():
        s = socket.socket()
        s.settimeout(timeout)
        try:
            if source:
                s.bind((source, 0))
            s.connect((ip, port))
        except BaseException:
            s.close()
            raise
        return s

    return inside(pid, go)


def ask(pid, ip, port=8080, **kw):
    """What the server says: [its name, our address as it sees it]."""
    with connect(pid, ip, port, **kw) as s:
        return s.makefile().readline().split()


def ask_udp(pid, ip, port=8080):
    def go():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(1)
            s.connect((ip, port))
            for _ in range(3):      # until its queue is active a new link drops what is sent
                s.send(b"?")
                with contextlib.suppress(TimeoutError):
                    return s.recv(100).decode().split()
            raise TimeoutError(f"{ip}:{port} does not answer")

    return inside(pid, go)


@pytest.fixture(scope="module")
def pods():
    """Three pods with a TCP server each, one of them without any."""
    w = World()
    try:
        w.a, w.b, w.c = w.pod("a"), w.pod("b"), w.pod(None)
        yield w
    finally:
        w.close()


@pytest.fixture
def world(pods):
    pods.services()
    return pods


def test_direct(world):
    w = world
    assert ask(w.node, w.a) == ["a", NODE]
    assert ask(w.pids[w.a], w.b) == ["b", w.a]
    assert ask(w.pids[w.a], w.a) == ["a", w.a]


def test_pod_to_node_and_outside(world):
    w = world
    node, out = Server(w.node, "node", 9000), Server(w.client.pid, "out", 9000)
    try:
        assert ask(w.pids[w.a], NODE, 9000) == ["node", w.a]
        assert ask(w.pids[w.a], EXT_NODE, 9000) == ["node", w.a]
        assert ask(w.pids[w.a], EXT_CLIENT, 9000) == ["out", EXT_NODE]
    finally:
        node.close()
        out.close()


def test_pod_sees_only_its_interfaces(world):
    out = world.sh("ip -o addr; ip route; ip neigh", world.pids[world.a])
    assert f"2: eth0    inet {world.a}/32" in out
    assert "default via 169.254.1.1 dev eth0" in out
    assert "169.254.1.1 dev eth0 lladdr 02:6f:72:63:68:01 PERMANENT" in out
    names = {line.split()[1] for line in out.splitlines() if line[:2] in ("1:", "2:", "3:")}
    assert names == {"lo", "eth0"}


def test_unused_pod_address_is_unreachable(world):
    start = time.monotonic()
    with pytest.raises(OSError) as e:
        connect(world.pids[world.a], "10.244.200.200", 80)
    assert not isinstance(e.value, TimeoutError)
    assert time.monotonic() - start < 1


def test_service(world):
    w = world
    w.services(f"{VIP} tcp 80 0 0 {w.b}:8080")
    assert ask(w.pids[w.a], VIP, 80) == ["b", w.a]
    assert ask(w.node, VIP, 80) == ["b", NODE]


def test_service_reaches_its_own_pod(world):
    w = world
    w.services(f"{VIP} tcp 80 0 0 {w.a}:8080")
    assert ask(w.pids[w.a], VIP, 80) == ["a", NODE]


def test_service_spreads(world):
    w = world
    w.services(f"{VIP} tcp 80 0 0 {w.a}:8080,{w.b}:8080")
    names = [ask(w.pids[w.c], VIP, 80)[0] for _ in range(60)]
    assert 10 <= names.count("a") <= 50 and names.count("a") + names.count("b") == 60


def test_service_affinity(world):
    w = world
    w.services(f"{VIP} tcp 80 0 10800 {w.a}:8080,{w.b}:8080")
    assert len({ask(w.pids[w.c], VIP, 80)[0] for _ in range(20)}) == 1
    names = set()
    for i in range(2, 34):
        w.sh(f"ip addr add 192.0.2.{100 + i}/24 dev eth0", w.client.pid)
    w.sh(f"ip route add {VIPS} via {EXT_NODE}", w.client.pid)
    for i in range(2, 34):
        names.add(ask(w.client.pid, VIP, 80, source=f"192.0.2.{100 + i}")[0])
    assert names == {"a", "b"}


def test_node_port(world):
    w = world
    w.services(f"{VIP} tcp 80 30080 0 {w.b}:8080")
    assert ask(w.client.pid, EXT_NODE, 30080) == ["b", EXT_CLIENT]
    assert ask(w.node, EXT_NODE, 30080) == ["b", EXT_NODE]
    assert ask(w.pids[w.a], NODE, 30080) == ["b", w.a]
    with pytest.raises(ConnectionRefusedError):
        connect(w.node, "127.0.0.1", 30080)


def test_no_endpoints_is_refused(world):
    w = world
    w.services(f"{VIP} tcp 80 30080 0 -")
    local = Server(w.node, "local", 30080)
    try:
        for pid, ip, port in ((w.pids[w.a], VIP, 80), (w.node, VIP, 80),
                              (w.node, VIP2, 80), (w.client.pid, EXT_NODE, 30080),
                              (w.node, EXT_NODE, 30080)):
            with pytest.raises(ConnectionRefusedError):
                connect(pid, ip, port)
        with pytest.raises(ConnectionRefusedError):
            ask_udp(w.pids[w.a], VIP, 53)
    finally:
        local.close()


def test_udp(world):
    w = world
    u = w.pod("u", udp=True)
    w.services(f"{VIP} udp 53 30053 0 {u}:8080")
    assert ask_udp(w.pids[w.a], VIP, 53) == ["u", w.a]
    assert ask_udp(w.node, VIP, 53) == ["u", NODE]
    assert ask_udp(w.client.pid, EXT_NODE, 30053) == ["u", EXT_CLIENT]


def test_udp_leaves_a_gone_endpoint(world):
    """A client that never changes its socket moves to another endpoint; other flows stay."""
    w = world
    u1, u2 = w.pod("u1", udp=True), w.pod("u2", udp=True)
    w.services(f"{VIP} udp 53 30053 0 {u1}:8080", f"{VIP2} udp 53 0 0 {u1}:8080")
    socks = [inside(pid, socket.socket, socket.AF_INET, socket.SOCK_DGRAM)
             for pid in (w.pids[w.a], w.pids[w.a], w.client.pid)]

    def ask_all():
        names = []
        for s, to in zip(socks, ((VIP, 53), (VIP2, 53), (EXT_NODE, 30053))):
            s.settimeout(2)
            s.connect(to)
            s.send(b"?")
            names.append(s.recv(100).decode().split()[0])
        return names

    try:
        assert ask_all() == ["u1", "u1", "u1"]
        w.services(f"{VIP} udp 53 30053 0 {u2}:8080", f"{VIP2} udp 53 0 0 {u1}:8080")
        assert ask_all() == ["u2", "u1", "u2"]
        w.services(f"{VIP} udp 53 30053 0 {u1}:8080", f"{VIP2} udp 53 0 0 {u2}:8080", reset=True)
        assert ask_all() == ["u1", "u2", "u1"]
    finally:
        for s in socks:
            s.close()


def test_established_connections_stay(world):
    w = world
    w.services(f"{VIP} tcp 80 0 0 {w.a}:8080")
    with connect(w.pids[w.c], VIP, 80) as s:
        f = s.makefile()
        assert f.readline().split()[0] == "a"
        w.services(f"{VIP} tcp 80 0 0 {w.b}:8080")
        assert ask(w.pids[w.c], VIP, 80)[0] == "b"
        w.servers[0].held[-1].sendall(b"still here\n")
        assert f.readline() == "still here\n"
        w.services(f"{VIP} tcp 80 0 0 {w.b}:8080", reset=True)
        w.servers[0].held[-1].sendall(b"after reset\n")
        assert f.readline() == "after reset\n"


def test_changes_lose_no_connection(world):
    """Endpoints come, go and swap, the table is rewritten, while a client connects all the time."""
    w = world
    lists = [f"{w.a}:8080", f"{w.a}:8080,{w.b}:8080", f"{w.b}:8080", f"{w.b}:8080,{w.a}:8080"]
    w.services(f"{VIP} tcp 80 0 0 {lists[0]}")
    done, failures, count = threading.Event(), [], [0]

    def hammer():
        while not done.is_set():
            try:
                inside_connect()
                count[0] += 1
            except OSError as e:
                failures.append(repr(e))

    def inside_connect():
        with socket.create_connection((VIP, 80), timeout=1) as s:
            assert s.recv(1)

    t = threading.Thread(target=lambda: inside(w.pids[w.c], hammer))
    t.start()
    end = time.monotonic() + 4
    i = 0
    while time.monotonic() < end:
        i += 1
        w.services(f"{VIP} tcp 80 0 0 {lists[i % 4]}", reset=i % 10 == 0)
    done.set()
    t.join()
    assert failures == []
    assert count[0] > 1000 / SLOW and i > 100 / SLOW


@pytest.mark.parametrize("how", [
    "nft flush ruleset",
    "nft delete table ip orch",
    "nft list ruleset >/tmp/$$; nft flush ruleset; nft -f /tmp/$$; rm /tmp/$$"])
def test_a_lost_table_is_written_again(world, how):
    w = world
    row = f"{VIP} tcp 80 0 0 {w.a}:8080"
    w.services(row)
    assert w.do("lost") == ["no"]
    w.sh("nft add table ip other; nft delete table ip other")
    assert w.do("lost") == ["no"]
    w.sh(how)
    assert w.do("lost") == ["yes"]
    w.services(row)
    assert w.do("lost") == ["no"]
    assert ask(w.pids[w.c], VIP, 80)[0] == "a"


def test_a_table_lost_unnoticed(world):
    """The kernel refuses a difference to what is not there, so everything is written."""
    w = world
    w.services(f"{VIP} tcp 80 0 0 {w.a}:8080")
    w.sh("nft delete table ip orch")
    w.services(f"{VIP} tcp 80 0 0 {w.b}:8080")
    assert ask(w.pids[w.c], VIP, 80)[0] == "b"


def test_a_new_start_keeps_services(world):
    w = world
    w.services(f"{VIP} tcp 80 0 0 {w.a}:8080", f"{VIP2} tcp 80 0 0 {w.a}:8080")
    w.do(f"new {PODS} {VIPS}")
    assert ask(w.pids[w.c], VIP, 80)[0] == "a"
    w.services(f"{VIP2} tcp 80 0 0 {w.b}:8080")
    assert ask(w.pids[w.c], VIP2, 80)[0] == "b"
    with pytest.raises(ConnectionRefusedError):
        connect(w.pids[w.c], VIP, 80)


def test_foreign_tables_are_left_alone(world):
    w = world
    w.sh("nft add table ip other; nft add chain ip other c")
    w.services(f"{VIP} tcp 80 0 0 {w.a}:8080", reset=True)
    assert "table ip other" in w.sh("nft list ruleset")
    w.sh("nft delete table ip other")


def test_unused_chains_go(world):
    w = world
    w.services(f"{VIP} tcp 80 30080 0 {w.a}:8080,{w.b}:8080,{w.c}:8080")
    assert "chain vip_3 " in w.sh("nft list ruleset")
    w.services()
    rules = w.sh("nft list ruleset")
    assert "vip_" not in rules and "node_" not in rules and "10.244.0.2" not in rules


def test_many_services(world):
    """10,000 services with 3 endpoints each, then a change of one among them; an emulated processor
    has a tenth of them."""
    w = world
    took = []
    many = 10000 if SLOW == 1 else 1000
    for services in (many, many, many - 1):
        w.do(f"bulk {services} 3")
        took.append(int(w.do("apply")[0]) / 1000)
        assert w.sh("nft list ruleset").count("goto vip_3") == services
    print(f"\n{many} services: load %.0f ms, nothing %.1f ms, one less %.1f ms" % tuple(took))


def test_pod_goes(world):
    w = world
    ip = w.pod(None)
    name = "orch" + "".join(f"{int(x):02x}" for x in ip.split("."))
    assert name in w.sh("ip link")
    w.do(f"drop {ip}")
    end = time.monotonic() + 5
    while name in w.sh("ip link"):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert ip not in w.sh("ip route")


def test_clear():
    w = World()
    try:
        a = w.pod("a")
        w.services(f"{VIP} tcp 80 30080 0 {a}:8080")
        assert "orch" in w.sh("ip link; nft list tables")
        w.do("clear")
        assert "orch" not in w.sh("ip link; nft list tables")
        assert "10.244." not in w.sh("ip addr; ip route show table all")
        assert "10.96." not in w.sh("ip route")
        w.do("clear")
    finally:
        w.close()
