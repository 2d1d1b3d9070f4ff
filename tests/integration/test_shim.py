# SPDX-License-Identifier: GPL-2.0-or-later
"""The shim, driven by its own protocol: what the kernel says about containers that it started."""
import errno
import fcntl
import os
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import termios
import time
from pathlib import Path

import pytest

from shim_client import *  # noqa: F403

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

LINE = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z) (stdout|stderr) ([FP]) (.*)$", re.S)


class Pod:
    """A shim with a sandbox of its own, and a root file system with probe and busybox."""

    def __init__(self, tmp_path):
        self.tmp = tmp_path
        self.run = tmp_path / "run"
        self.root = tmp_path / "root"
        self.run.mkdir()
        for d in ("bin", "proc", "dev", "tmp", "etc"):
            (self.root / d).mkdir(parents=True)
        shutil.copy(BUILD / "orch-probe", self.root / "bin/probe")
        self.install("/bin/busybox")
        for name in ("sh", "sleep", "cat", "stty", "tty"):
            os.symlink("busybox", self.root / "bin" / name)
        self.shim = Shim(self.run)

    def install(self, program):
        """Copies a program of the host with the libraries that it needs."""
        shutil.copy(program, self.root / "bin")
        needs = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
        for lib in re.findall(r"(/\S+) \(0x", needs):
            to = self.root / lib.lstrip("/")
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(lib, to)

    def sandbox(self, extra=None):
        p = Program()
        p.UNSHARE(a=CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC).HOSTNAME("pod-0")
        p.NETLINK_POD(raw=link_up(1))
        if extra:
            extra(p)
        self.shim.do(SANDBOX, prog=p)
        return self

    def program(self, *argv, before=None, after=None, env=("PATH=/bin",), user=None):
        p = Program()
        p.SLAVE()
        if before:
            before(p)
        p.PIVOT(str(self.root))
        p.MOUNT("proc", "/proc", "proc", "", a=MS_NOSUID | MS_NODEV | MS_NOEXEC)
        p.MOUNT("tmpfs", "/dev", "tmpfs", "mode=755", a=MS_NOSUID)
        p.MKNOD("/dev/null", a=0o20666, b=os.makedev(1, 3))
        p.MKDIR("/dev/pts", a=0o755)
        p.MOUNT("devpts", "/dev/pts", "devpts", "newinstance,ptmxmode=0666", a=MS_NOSUID)
        if after:
            after(p)
        if user is not None:
            p.GROUPS(raw=struct.pack("II", user, user + 1)).GID(a=user).UID(a=user)
        for e in env:
            p.ENV(e)
        for a in argv:
            p.ARG(a)
        return p.EXEC()

    def log_dir(self, name):
        d = self.tmp / "logs" / name
        d.mkdir(parents=True, exist_ok=True)
        return d

    def order(self, name, attempt=0, **more):
        return Start(name=name.encode(), attempt=attempt, log_dir=str(self.log_dir(name)).encode(),
                     **more)

    def start(self, name, *argv, attempt=0, **more):
        order = {k: more.pop(k) for k in list(more) if k.startswith(("log_", "cgroup", "oom"))}
        self.shim.states.pop(name, None)
        self.shim.do(START, self.order(name, attempt, **order), self.program(*argv, **more))
        self.shim.until(lambda: name in self.shim.states)
        return self.shim.states[name]

    def finish(self, name, *argv, **more):
        """Runs to its end; the state and the lines it has written."""
        self.start(name, *argv, **more)
        state = self.shim.wait_phase(name, ENDED)
        return state, self.lines(name, more.get("attempt", 0))

    def raw_log(self, name, attempt=0):
        return (self.log_dir(name) / f"{attempt}.log").read_text()

    def lines(self, name, attempt=0, stream=None):
        found = [LINE.match(x) for x in self.raw_log(name, attempt).splitlines()]
        assert all(found)
        return [m[4] for m in found if stream in (None, m[2])]

    def wait_line(self, name, text, attempt=0, timeout=5):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            try:
                if text in self.lines(name, attempt):
                    return
            except FileNotFoundError:
                pass
            time.sleep(0.01)
        raise AssertionError(f"no line {text!r}")

    def exec_program(self, *argv, user=None):
        p = Program()
        p.JOIN(b=JOIN_ALL)
        if user is not None:
            p.GROUPS(raw=struct.pack("I", user)).GID(a=user).UID(a=user)
        p.ENV("PATH=/bin").ENV("EXEC=yes")
        for a in argv:
            p.ARG(a)
        return p.EXEC()

    def stop(self, name="", drain=0, grace=5000, sig=signal.SIGTERM):
        self.shim.do(STOP, Stop(name=name.encode(), signal=sig, drain_ms=drain, grace_ms=grace))

    def probe(self, name, kind, handler, prog=b"", **more):
        settings = {"period_ms": 100, "timeout_ms": 1000, "success_threshold": 1,
                    "failure_threshold": 1, **more}
        self.shim.do(PROBE, Probe(name=name.encode(), kind=kind, handler=handler, **settings), prog)

    def in_netns(self, *command, **more):
        return subprocess.run(["nsenter", f"--net=/proc/{self.shim.pid()}/ns/net", *command], **more)


def link_up(ifindex):
    """RTM_NEWLINK that sets IFF_UP."""
    return struct.pack("IHHIIBBHiII", 32, 16, 5, 7, 0, 0, 0, 0, ifindex, 1, 1)


def attr(kind, data):
    data = data if isinstance(data, bytes) else data.encode() + b"\0"
    return struct.pack("HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def ifinfo(index=0, flags=0):
    return struct.pack("BBHiII", 0, 0, 0, index, flags, flags)


def veth(name, peer, netns_fd):
    """RTM_NEWLINK: a pair whose second end is born in another network namespace."""
    inside = ifinfo() + attr(3, peer) + attr(28, struct.pack("I", netns_fd))
    body = ifinfo(flags=1) + attr(3, name) + attr(18, attr(1, "veth") + attr(2, attr(1, inside)))
    return struct.pack("IHHII", 16 + len(body), 16, 5 | 0x600, 77, 0) + body


def facts(lines):
    out = {}
    for line in lines:
        key, _, value = line.partition("=")
        out.setdefault(key, []).append(value)
    return out


def children(pod):
    pid = pod.shim.pid()
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def gone(pid):
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat.rpartition(")")[2].split()[0] in "ZX"


def wait_for(condition, timeout=5, what="condition"):
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.01)


@pytest.fixture
def pod(tmp_path):
    p = Pod(tmp_path)
    yield p
    p.shim.end()


# ---- starting ----

def test_container_sees_its_own_world(pod):
    pod.sandbox()
    state, lines = pod.finish("web", "probe", "show", env=("PATH=/bin", "A=b c"))
    assert state.end.exit_code == 0 and state.end.signal == 0
    f = facts(lines)
    assert f["pid"] == ["1"] and f["ppid"] == ["0"] and f["sid"] == ["1"]
    assert f["hostname"] == ["pod-0"] and f["cwd"] == ["/"]
    assert f["env"] == ["PATH=/bin", "A=b c"] and f["arg"] == ["probe", "show"]
    assert f["pdeathsig"] == ["9"] and f["umask"] == ["022"]
    assert "blocked" not in f and "ignored" not in f
    assert sorted(k for k in f if k.startswith("fd.")) == ["fd.0", "fd.1", "fd.2"]
    shim = f"/proc/{pod.shim.pid()}/ns/"
    for ns in ("net", "uts", "ipc"):
        assert f[f"ns.{ns}"] == [os.readlink(shim + ns)] != [os.readlink(f"/proc/self/ns/{ns}")]
    for ns in ("mnt", "pid"):
        assert f[f"ns.{ns}"] != [os.readlink(shim + ns)]
    assert len(f["mount"]) == 4        # root, proc, dev, dev/pts: nothing of the host


def test_identity_and_capabilities(pod):
    pod.sandbox()

    def limit(p):
        p.RLIMIT(a=7, b=123).OOM_SCORE(a=500)

    state, lines = pod.finish("user", "probe", "show", after=limit, user=1000)
    f = facts(lines)
    assert f["status.Uid"][0].split() == ["1000"] * 4
    assert f["status.Gid"][0].split() == ["1000"] * 4
    assert f["status.Groups"][0].split() == ["1000", "1001"]
    assert f["status.CapEff"] == ["0000000000000000"]
    assert f["rlimit.nofile"] == ["123 123"] and f["oom_score_adj"] == ["500"]
    assert f["pdeathsig"] == ["9"]     # although the credentials changed


@pytest.mark.parametrize("user", [0, 1000])
def test_caps(pod, user):
    pod.sandbox()
    p = pod.program("probe", "show")
    p.data = p.data[:-32]              # without EXEC
    caps, ambient = 1 << 10 | 1 << 13, 1 << 10
    p.GID(a=user).UID(a=user).CAPS(a=caps, b=ambient).NO_NEW_PRIVS().EXEC()
    pod.shim.do(START, pod.order("c"), p)
    pod.shim.wait_phase("c", ENDED)
    f = facts(pod.lines("c"))
    effective = caps if user == 0 else ambient
    want = {"Bnd": caps, "Prm": effective, "Eff": effective, "Inh": ambient, "Amb": ambient}
    for name, bits in want.items():
        assert int(f[f"status.Cap{name}"][0], 16) == bits, name
    assert f["status.NoNewPrivs"] == ["1"]


def test_interfaces_of_both_namespaces(pod):
    name = f"st{os.getpid() % 100000}"
    pod.sandbox(lambda p: p.NETLINK_HOST(raw=veth(name, "eth0", 9) + link_up(1))
                .NETLINK_POD(raw=link_up(2)))
    host = Path("/proc/net/dev").read_text()
    try:
        assert f"{name}:" in host and "eth0:" not in host
        _, lines = pod.finish("c", "probe", "show")
        assert [x for x in facts(lines)["dev"] if "eth0:" in x]
        assert not [f for f in open_files(pod) if "net:" in f]
    finally:
        pod.shim.end()
        wait_for(lambda: f"{name}:" not in Path("/proc/net/dev").read_text())


def test_network_failures_have_the_kernels_words(pod):
    p = Program()
    p.UNSHARE(a=CLONE_NEWNET).NETLINK_POD(raw=link_up(1) + link_up(77))
    result, _ = pod.shim.ask(SANDBOX, prog=p)
    assert result.error == 19 and OP_NAMES[result.fail.op] == "NETLINK_POD"
    assert result.fail.index == 1 and result.fail.text("what")
    # it is tried only once: who asks again is told the same, and no container starts in half of it
    again, _ = pod.shim.ask(SANDBOX, prog=Program().UNSHARE(a=CLONE_NEWNET))
    assert again.error == 19 and again.fail.text("what") == result.fail.text("what")
    assert pod.shim.ask(START, pod.order("x"), pod.program("probe"))[0].error == 107


def test_sandbox_is_made_once(pod):
    pod.sandbox()
    assert pod.shim.ask(SANDBOX, prog=Program().UNSHARE(a=CLONE_NEWNET))[0].error == 114


def test_command_not_found(pod):
    pod.sandbox()
    result, _ = pod.shim.ask(START, pod.order("x"), pod.program("nonsense"))
    assert result.error == 2 and result.fail.error == 2
    assert OP_NAMES[result.fail.op] == "EXEC" and result.fail.text("what") == "nonsense"
    state = pod.shim.wait_phase("x", FAILED)
    assert state.end.exit_code == 128 and state.pid == 0 and state.fail.error == 2
    # and the next attempt is not in its way
    state, lines = pod.finish("x", "probe", "write-log", "1", attempt=1)
    assert lines == ["line 0"] and state.attempt == 1 and state.last.exit_code == 128


def test_failure_names_the_operation(pod):
    pod.sandbox()
    bad = pod.program("probe", after=lambda p: p.MOUNT("x", "/tmp", "nosuchfs", ""))
    result, _ = pod.shim.ask(START, pod.order("x"), bad)
    assert OP_NAMES[result.fail.op] == "MOUNT" and result.fail.text("what") == "/tmp"
    assert result.fail.error == 19


def test_garbage_is_refused(pod):
    for prog in (b"12345678", Program().SLAVE().data[:-8], Program().EXEC().SLAVE().data,
                 Program().SLAVE().data.replace(b"\2\0\0\0", b"\xee\0\0\0", 1)):
        assert pod.shim.ask(START, pod.order("x"), prog)[0].error == 22
    assert pod.shim.ask(STOP, Stop(name=b"nobody"))[0].error == 2
    assert pod.shim.ask(99)[0].error == 95


def test_orphans_are_reaped_inside_and_outside(pod):
    pod.sandbox()
    pod.start("init", "sh", "-c", "(sleep 0.05 &) ; sleep 0.3")
    pod.shim.wait_phase("init", ENDED)
    wait_for(lambda: children(pod) == [])


# ---- paths that an image made ----

def test_image_links_do_not_lead_out(pod, tmp_path):
    pod.sandbox()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "hosts").write_text("host's")
    source = tmp_path / "hosts"
    source.write_text("pod's")
    os.symlink(outside, pod.root / "abs")
    os.symlink("../../../../../../.." + str(outside), pod.root / "rel")
    root = str(pod.root)

    def binds(p):
        p.BIND(str(source), root + "/abs/hosts", a=MS_RDONLY, b=1)
        p.BIND(str(source), root + "/rel/deep/er/hosts", b=1)
        p.BIND(str(source), "/etc/hosts", b=1)
        p.FILE(root + "/abs/new", a=0o600, raw=b"text")
        p.MKDIR(root + "/rel/dir", a=0o700)

    state, lines = pod.finish("x", "probe", "read", "/abs/hosts", before=binds)
    assert lines == ["line=pod's"]
    assert sorted(os.listdir(outside)) == ["hosts"]
    inside = pod.root / str(outside).lstrip("/")
    assert sorted(os.listdir(inside)) == ["deep", "dir", "hosts", "new"]
    assert (inside / "new").read_text() == "text"


def test_subpath_stays_in_its_volume(pod, tmp_path):
    pod.sandbox()
    volume = tmp_path / "volume"
    volume.mkdir()
    (volume / "data").write_text("fine")
    os.symlink("/etc", volume / "evil")
    root = str(pod.root)
    good = pod.program("probe", "read", "/data",
                       before=lambda p: p.BIND(f"{volume}//data", root + "/data", b=1))
    pod.shim.do(START, pod.order("good"), good)
    pod.shim.wait_phase("good", ENDED)
    assert pod.lines("good") == ["line=fine"]
    bad = pod.program("probe", before=lambda p: p.BIND(f"{volume}//evil/passwd", root + "/p", b=1))
    result, _ = pod.shim.ask(START, pod.order("bad"), bad)
    assert result.error == 2 and OP_NAMES[result.fail.op] == "BIND"


def test_working_directory_cannot_be_a_descriptor(pod):
    """CVE-2024-21626: a directory of the host left open, reached through /proc/self/fd."""
    pod.sandbox()
    for n in range(3, 16):
        bad = pod.program("probe", after=lambda p, n=n: p.CHDIR(f"/proc/self/fd/{n}"))
        assert pod.shim.ask(START, pod.order("x"), bad)[0].error in (2, 40)


def test_mask_readonly_and_mount_flags(pod, tmp_path):
    pod.sandbox()
    (pod.root / "secret").mkdir()
    (pod.root / "secret/key").write_text("k")
    (pod.root / "secret.txt").write_text("s")

    def hide(p):
        p.MASK("/secret").MASK("/secret.txt").MASK("/missing").READONLY("/etc").READONLY("/nothing")

    script = ("ls() { for i in $1/*; do echo $i; done; }; ls /secret; cat /secret.txt;"
              "echo x > /etc/x; echo x > /tmp/x && echo wrote; echo x > /ro/x")
    state, lines = pod.finish("x", "sh", "-c", script, after=hide,
                              before=lambda p: p.BIND(str(tmp_path), str(pod.root) + "/ro",
                                                      a=MS_RDONLY | MS_NOSUID | MS_REC, b=1))
    assert pod.lines("x", stream="stdout") == ["/secret/*", "wrote"]
    assert pod.lines("x", stream="stderr") == [f"sh: can't create {f}: Read-only file system"
                                               for f in ("/etc/x", "/ro/x")]


# ---- ends ----

def test_exit_codes_and_history(pod):
    pod.sandbox()
    state, _ = pod.finish("c", "probe", "exit", "7")
    assert (state.end.exit_code, state.end.signal, state.end.oom_killed) == (7, 0, 0)
    assert 0 < state.end.started_at <= state.end.finished_at <= time.time_ns()
    pod.start("c", "probe", "sleep", attempt=1)
    pod.wait_line("c", "sleeping", 1)
    pod.shim.do(SIGNAL, Signal(name=b"c", signal=signal.SIGKILL))
    state = pod.shim.wait_phase("c", ENDED)
    assert (state.end.exit_code, state.end.signal, state.attempt) == (137, 9, 1)
    assert state.last.exit_code == 7


def test_exit_is_recorded_without_controller(pod):
    pod.sandbox()
    pod.start("c", "sh", "-c", "sleep 0.3; echo last words; exit 42")
    pod.shim.close()
    time.sleep(0.1)
    wait_for(lambda: pod.shim.state_file()[1][0].phase == ENDED)
    header, (c,) = pod.shim.state_file()
    assert c.end.exit_code == 42 and c.text("name") == "c"
    assert pod.lines("c") == ["last words"]
    stat = Path(f"/proc/{header.pid}/stat").read_text().rpartition(")")[2].split()
    assert header.start_time == int(stat[19])
    again = Shim(pod.run, connect=True)
    assert again.ask(HELLO)[0].error == 0 and again.states["c"].end.exit_code == 42
    # a second run through the new connection
    again.do(START, pod.order("c", 1), pod.program("probe", "exit", "3"))
    again.until(lambda: again.states["c"].end.exit_code == 3)
    assert again.states["c"].last.exit_code == 42
    again.send(QUIT)
    with pytest.raises(ShimGone):
        again.until(lambda: False, 5)
    assert pod.shim.process.wait(5) == 0


def test_killed_shim_takes_its_containers_along(pod):
    pod.sandbox()
    pids = []
    for name, user in (("root", None), ("user", 1000)):
        pids.append(pod.start(name, "probe", "sleep", "--stubborn", user=user).pid)
    fds = pod.shim.do(EXEC, Exec(name=b"root"), pod.exec_program("sleep", "100"))
    wait_for(lambda: len(children(pod)) == 3)
    tree = children(pod)
    assert all(not gone(p) for p in pids + tree)
    os.kill(pod.shim.pid(), signal.SIGKILL)
    wait_for(lambda: all(gone(p) for p in tree), what="containers end with their shim")
    for fd in fds:
        os.close(fd)


def test_quit_is_refused_while_something_runs(pod):
    pod.sandbox()
    pod.start("c", "probe", "sleep")
    assert pod.shim.ask(QUIT)[0].error == 16
    assert pod.shim.ask(START, pod.order("c"), pod.program("probe"))[0].error == 16


def test_shim_survives_ordinary_signals(pod):
    pod.sandbox()
    for s in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        os.kill(pod.shim.pid(), s)
    assert pod.shim.ask(HELLO)[0].error == 0


def v1(controller):
    return Path("/sys/fs/cgroup") / controller / f"shimtest{os.getpid()}"


def test_out_of_memory(pod):
    group = v1("memory")
    if not Path("/sys/fs/cgroup/memory/tasks").exists():
        pytest.skip("no v1 memory controller")
    pod.sandbox()
    group.mkdir()
    try:
        (group / "memory.limit_in_bytes").write_text("32M")
        state, _ = pod.finish("hog", "probe", "alloc", "200",
                              before=lambda p: p.TASKS(f"{group}/tasks"),
                              oom_file=f"{group}/memory.oom_control".encode())
        assert (state.end.exit_code, state.end.signal, state.end.oom_killed) == (137, 9, 1)
        state, _ = pod.finish("hog", "probe", "exit", "1", attempt=1,
                              before=lambda p: p.TASKS(f"{group}/tasks"),
                              oom_file=f"{group}/memory.oom_control".encode())
        assert state.end.oom_killed == 0 and state.last.oom_killed == 1
    finally:
        group.rmdir()


def test_born_in_cgroup2(pod):
    base = Path("/sys/fs/cgroup/unified")
    if not (base / "cgroup.procs").exists():
        base = Path("/sys/fs/cgroup")
    if not (base / "cgroup.procs").exists():
        pytest.skip("no cgroup2")
    group = base / f"shimtest{os.getpid()}"
    pod.sandbox()
    group.mkdir()
    try:
        pod.start("c", "probe", "sleep", cgroup_dir=str(group).encode())
        pod.wait_line("c", "sleeping")
        fds = pod.shim.do(EXEC, Exec(name=b"c"), pod.exec_program("sleep", "100"))
        wait_for(lambda: len((group / "cgroup.procs").read_text().split()) == 2)
        pod.stop("c", grace=0)
        pod.shim.wait_phase("c", ENDED)
        for fd in fds:
            os.close(fd)
    finally:
        pod.shim.end()
        wait_for(lambda: not (group / "cgroup.procs").read_text())
        group.rmdir()


def open_files(pod):
    return sorted(os.readlink(f) for f in Path(f"/proc/{pod.shim.pid()}/fd").iterdir())


def test_nothing_is_left_open(pod):
    """Runs, failed starts, sessions and probes of every kind leave the descriptors as they were."""
    pod.sandbox()
    kinds = {READINESS: H_HTTP, LIVENESS: H_TCP, STARTUP: H_EXEC}

    def all_of_it(attempt):
        for kind, handler in kinds.items():
            pod.probe("c", kind, handler, pod.exec_program("probe", "exit", "0"), port=80,
                      period_ms=10, failure_threshold=10000, request=HTTP)
        assert pod.shim.ask(START, pod.order("c"), pod.program("nonsense"))[0].error == 2
        pod.start("c", "probe", "sleep", attempt=attempt)
        for tty in (0, 1):
            for fd in pod.shim.do(EXEC, Exec(name=b"c", tty=tty), pod.exec_program("sleep", "9")):
                os.close(fd)
        pod.shim.ask(EXEC, Exec(name=b"c", tty=1), pod.exec_program("nonsense"))
        time.sleep(0.1)
        pod.stop("c", grace=0)
        pod.shim.wait_phase("c", ENDED)
        for kind in kinds:
            pod.probe("c", kind, H_NONE)
        wait_for(lambda: children(pod) == [])

    all_of_it(0)
    before = open_files(pod)
    for attempt in range(1, 6):
        all_of_it(attempt)
    assert open_files(pod) == before


def test_two_controllers(pod):
    pod.sandbox()
    other = Shim(pod.run, connect=True)
    pod.start("c", "probe", "exit", "4")
    other.wait_phase("c", ENDED)
    assert pod.shim.wait_phase("c", ENDED).end.exit_code == other.states["c"].end.exit_code == 4
    fds = []
    pod.start("c", "probe", "sleep", attempt=1)
    seq = other.send(EXEC, Exec(name=b"c"), pod.exec_program("probe", "exit", "5"))
    other.until(lambda: seq in other.exited)
    fds = other.results[seq][1]
    assert other.exited[seq].exit_code == 5 and len(fds) == 3
    assert pod.shim.ask(HELLO)[0].error == 0 and not pod.shim.exited
    for fd in fds:
        os.close(fd)
    other.close()


def test_controller_that_does_not_read(pod):
    """It gets every state once it reads again, and holds nobody up meanwhile."""
    pod.sandbox()
    lazy = Shim(pod.run, connect=True)
    lazy.ask(HELLO)
    for attempt in range(300):
        pod.start("c", "probe", "exit", str(attempt % 100), attempt=attempt)
        pod.shim.wait_phase("c", ENDED)
    lazy.until(lambda: lazy.states.get("c") and lazy.states["c"].attempt == 299 and
               lazy.states["c"].phase == ENDED)
    assert len(lazy.history) < 600
    lazy.close()


def test_stop_all(pod):
    pod.sandbox()
    names = ["a", "b", "c"]
    for n in names:
        pod.start(n, "probe", "sleep")
        pod.wait_line(n, "sleeping")
    pod.stop()
    for n in names:
        assert pod.shim.wait_phase(n, ENDED).end.exit_code == 0
    header, states = pod.shim.state_file()
    assert [s.text("name") for s in states] == names


def test_large_environment(pod):
    pod.sandbox()
    env = ["PATH=/bin"] + [f"V{i}=" + "x" * 10000 for i in range(18)]
    _, lines = pod.finish("c", "sh", "-c", "echo ${#V0} ${#V17}", env=env)
    assert lines == ["10000 10000"]


# ---- logs ----

def test_both_streams_complete(pod):
    pod.sandbox()
    _, lines = pod.finish("c", "probe", "write-log", "20000")
    assert sorted(lines, key=lambda x: int(x.split()[1])) == [f"line {i}" for i in range(20000)]
    assert pod.lines("c", stream="stdout") == [f"line {i}" for i in range(0, 20000, 2)]


def test_long_and_unfinished_lines(pod):
    pod.sandbox()
    pod.finish("c", "sh", "-c", "i=0; s=x; while [ $i -lt 15 ]; do s=$s$s; i=$((i+1)); done;"
               "echo -n $s; echo -n yz; echo end; echo -n $s")
    found = [LINE.match(x) for x in pod.raw_log("c").splitlines()]
    got = [(m[3], len(m[4])) for m in found]
    assert got == [("P", 16384), ("P", 16384), ("F", 5), ("P", 16384), ("F", 16384)]


def test_rotation(pod):
    pod.sandbox()
    pod.finish("c", "probe", "flood", "3000000", "100", log_max_bytes=500000, log_max_files=3)
    names = sorted(os.listdir(pod.log_dir("c")))
    assert len(names) == 3 and names[0] == "0.log"
    assert all(re.fullmatch(r"0\.log\.\d{8}-\d{6}(\.\d+)?", n) for n in names[1:])
    for n in names:
        text = (pod.log_dir("c") / n).read_text()
        assert text.endswith("\n") and all(LINE.match(x) for x in text.splitlines())
        assert len(text) < 500000 + 200000


def test_container_outlives_a_full_log_disk(pod):
    pod.sandbox()
    disk = pod.log_dir("c")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", disk], check=True)
    try:
        state, lines = pod.finish("c", "probe", "flood", "1000000")
        assert state.end.exit_code == 0
    finally:
        subprocess.run(["umount", disk], check=True)


# ---- exec ----

def test_exec_with_pipes(pod):
    pod.sandbox()
    pod.start("c", "probe", "sleep")
    seq = pod.shim.send(EXEC, Exec(name=b"c"), pod.exec_program("sh", "-c",
                        "read x; echo got $x $EXEC $$; echo err >&2; exit 5", user=1000))
    pod.shim.until(lambda: seq in pod.shim.results)
    result, fds = pod.shim.results[seq]
    assert result.error == 0 and len(fds) == 3
    os.write(fds[0], b"hello\n")
    out = os.fdopen(fds[1]).read()
    assert re.fullmatch(r"got hello yes \d+\n", out) and int(out.split()[3]) < 100
    assert os.fdopen(fds[2]).read() == "err\n"
    pod.shim.until(lambda: seq in pod.shim.exited)
    assert pod.shim.exited[seq].exit_code == 5
    os.close(fds[0])


def test_exec_is_inside(pod):
    pod.sandbox()
    pod.start("c", "probe", "sleep")
    pod.wait_line("c", "sleeping")
    state = pod.shim.wait_phase("c", RUNNING)
    fds = pod.shim.do(EXEC, Exec(name=b"c"), pod.exec_program("probe", "show"))
    f = facts(os.fdopen(fds[1]).read().splitlines())
    for ns in ("mnt", "pid", "net", "uts", "ipc"):
        assert f[f"ns.{ns}"] == [os.readlink(f"/proc/{state.pid}/ns/{ns}")]
    assert sorted(k for k in f if k.startswith("fd.")) == ["fd.0", "fd.1", "fd.2"]
    assert f["pdeathsig"] == ["9"] and "blocked" not in f and "ignored" not in f
    os.close(fds[0])
    os.close(fds[2])


def test_oom_scores(pod):
    """Containers do not inherit the shim's, and who joins gets the container's."""
    pod.sandbox()
    Path(f"/proc/{pod.shim.pid()}/oom_score_adj").write_text("100")
    pod.start("plain", "probe", "sleep")
    pod.start("scored", "probe", "sleep", after=lambda p: p.OOM_SCORE(a=777))
    for name, want in (("plain", "100"), ("scored", "777")):
        # without CAP_SYS_RESOURCE nobody may go below what was set from outside
        score = Path(f"/proc/{pod.shim.states[name].pid}/oom_score_adj").read_text().strip()
        assert score in ({want, "0"} if name == "plain" else {want})
        fds = pod.shim.do(EXEC, Exec(name=name.encode()),
                          pod.exec_program("cat", "/proc/self/oom_score_adj"))
        assert os.fdopen(fds[1]).read().strip() == score
        os.close(fds[0])
        os.close(fds[2])
    assert Path(f"/proc/{pod.shim.pid()}/oom_score_adj").read_text() == "100\n"


def test_mounts_of_the_host_arrive_only_where_asked(pod, tmp_path):
    """MS_SLAVE is HostToContainer; without it later mounts stay outside."""
    volume = tmp_path / "volume"
    volume.mkdir()
    run = subprocess.run
    run(["mount", "-t", "tmpfs", "none", volume], check=True)
    run(["mount", "--make-shared", volume], check=True)
    (volume / "sub").mkdir()
    try:
        pod.sandbox()
        root = str(pod.root)

        def binds(p):
            p.BIND(str(volume), root + "/private", a=MS_REC, b=1)
            p.BIND(str(volume), root + "/slave", a=MS_REC | 1 << 19, b=1)
        pod.start("c", "probe", "sleep", before=binds)
        run(["mount", "-t", "tmpfs", "none", volume / "sub"], check=True)
        (volume / "sub/new").write_text("x")
        view = Path(f"/proc/{pod.shim.states['c'].pid}/root")
        assert (view / "slave/sub/new").exists() and not (view / "private/sub/new").exists()
    finally:
        pod.shim.end()
        run(["umount", "-R", volume], check=True)


def test_exec_errors(pod):
    pod.sandbox()
    assert pod.shim.ask(EXEC, Exec(name=b"c"), pod.exec_program("sh"))[0].error == 2
    pod.finish("c", "probe", "exit", "0")
    assert pod.shim.ask(EXEC, Exec(name=b"c"), pod.exec_program("sh"))[0].error == 3
    pod.start("c", "probe", "sleep", attempt=1)
    result, fds = pod.shim.ask(EXEC, Exec(name=b"c"), pod.exec_program("nonsense"))
    assert result.error == 2 and result.fail.text("what") == "nonsense" and not fds


def test_exec_with_tty(pod):
    pod.sandbox()
    pod.start("c", "probe", "sleep")
    seq = pod.shim.send(EXEC, Exec(name=b"c", tty=1, rows=33, cols=99), pod.exec_program("sh"))
    pod.shim.until(lambda: seq in pod.shim.results)
    result, (master,) = pod.shim.results[seq]
    assert result.error == 0, str(result.fail)

    def say(text, want):
        os.write(master, text)
        got = b""
        while want not in got:
            got += os.read(master, 4096)
        return got

    say(b"tty; stty size\n", b"33 99")
    pod.shim.do(RESIZE, Resize(seq, 50, 120))
    assert b"/dev/pts/0" in say(b"stty size; tty\n", b"/dev/pts/0\r\n")
    size = struct.unpack("HHHH", fcntl.ioctl(master, termios.TIOCGWINSZ, bytes(8)))
    assert size[:2] == (50, 120)
    os.write(master, b"exit 9\n")
    pod.shim.until(lambda: seq in pod.shim.exited)
    assert pod.shim.exited[seq].exit_code == 9
    os.close(master)


def test_hanging_up_ends_a_tty_session(pod):
    pod.sandbox()
    pod.start("c", "probe", "sleep")
    seq = pod.shim.send(EXEC, Exec(name=b"c", tty=1), pod.exec_program("cat"))
    pod.shim.until(lambda: seq in pod.shim.results)
    os.close(pod.shim.results[seq][1][0])
    pod.shim.until(lambda: seq in pod.shim.exited)
    assert pod.shim.exited[seq].signal == signal.SIGHUP


# ---- stopping ----

def test_graceful_stop(pod):
    pod.sandbox()
    pod.start("c", "probe", "sleep")
    pod.wait_line("c", "sleeping")
    pod.stop("c")
    state = pod.shim.wait_phase("c", ENDED)
    assert state.end.exit_code == 0 and pod.lines("c") == ["sleeping", "woken"]
    assert any(s.stopping and s.phase == RUNNING for s in pod.shim.history)
    assert state.stopping == 0


def test_grace_ends_with_kill(pod):
    pod.sandbox()
    pod.start("c", "probe", "sleep", "--stubborn")
    pod.wait_line("c", "sleeping")
    t = time.monotonic()
    pod.stop(grace=300)
    state = pod.shim.wait_phase("c", ENDED)
    assert state.end.signal == 9 and 0.25 < time.monotonic() - t < 2
    pod.start("c", "probe", "sleep", "--stubborn", attempt=1)
    pod.wait_line("c", "sleeping", 1)
    pod.stop("c", grace=60000)
    pod.stop("c", grace=100)           # a second order makes it sooner
    pod.shim.states.clear()
    assert pod.shim.wait_phase("c", ENDED, 5).end.signal == 9
    pod.start("c", "probe", "sleep", attempt=2)
    pod.stop("c", drain=60000, grace=0)
    assert pod.shim.wait_phase("c", ENDED, 2).end.signal == 9


def test_stop_goes_on_without_controller(pod):
    pod.sandbox()
    pod.start("c", "probe", "sleep", "--stubborn")
    pod.stop("c", grace=300)
    pod.shim.close()
    wait_for(lambda: pod.shim.state_file()[1][0].phase == ENDED)


def test_stop_waits_for_connections(pod):
    """A client on the other end of a veth; the server is asked to end when it has gone."""
    holder = subprocess.Popen(["unshare", "-n", "sleep", "1000"])
    other = ["nsenter", "-n", "-t", str(holder.pid)]
    try:
        pod.sandbox()
        mine = ["nsenter", "-n", "-t", str(pod.shim.pid())]
        wait_for(lambda: os.readlink(f"/proc/{holder.pid}/ns/net") !=
                 os.readlink("/proc/self/ns/net"))
        subprocess.run([*other, "ip", "link", "add", "c0", "type", "veth", "peer", "name",
                        "eth0", "netns", str(pod.shim.pid())], check=True)
        for ns, dev, addr in ((other, "c0", "10.9.9.1/24"), (mine, "eth0", "10.9.9.2/24")):
            subprocess.run([*ns, "ip", "addr", "add", addr, "dev", dev], check=True)
            subprocess.run([*ns, "ip", "link", "set", dev, "up"], check=True)
        pod.start("web", "probe", "listen", "8080", "hi")
        pod.wait_line("web", "listening")
        client = subprocess.Popen(
            [*other, "socat", "-", "TCP:10.9.9.2:8080"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        client.stdin.write(b"GET / HTTP/1.1\r\n\r\n")
        client.stdin.flush()
        assert client.stdout.readline() == b"HTTP/1.1 200 OK\r\n"
        pod.stop("web", drain=10000)
        time.sleep(0.4)
        assert pod.lines("web") == ["listening"] and not gone(pod.shim.states["web"].pid)
        t = time.monotonic()
        client.kill()
        client.wait()
        state = pod.shim.wait_phase("web", ENDED)
        assert state.end.exit_code == 0 and time.monotonic() - t < 1
        # nobody connected: 50 ms, not the limit
        pod.start("web", "probe", "listen", "8080", "hi", attempt=1)
        pod.wait_line("web", "listening", 1)
        t = time.monotonic()
        pod.stop("web", drain=10000)
        pod.shim.wait_phase("web", ENDED)
        assert 0.04 < time.monotonic() - t < 1
    finally:
        holder.kill()
        holder.wait()


# ---- probes ----

def wait_verdict(pod, name, kind, passed, timeout=5):
    bit = 1 << kind

    def reached():
        s = pod.shim.states.get(name)
        return s and s.decided & bit and bool(s.passed & bit) == passed
    pod.shim.until(reached, timeout, f"probe {kind} passed={passed}")
    return pod.shim.states[name]


HTTP = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def test_http_readiness(pod):
    pod.sandbox()
    pod.probe("web", READINESS, H_HTTP, port=8080, request=HTTP)
    assert pod.shim.states["web"].phase == CREATED and pod.shim.states["web"].configured == 1
    pod.start("web", "probe", "listen", "8080", "x")
    state = wait_verdict(pod, "web", READINESS, True)
    assert state.configured == 1
    pod.probe("web", READINESS, H_HTTP, port=8080, request=HTTP.replace(b"/ ", b"/fail ", 1))
    state = wait_verdict(pod, "web", READINESS, False)
    assert bytes(state.messages[0]).split(b"\0")[0] == b"HTTP probe failed with statuscode: 503"
    pod.probe("web", READINESS, H_HTTP, port=8081, request=HTTP, failure_threshold=1)
    pod.probe("web", READINESS, H_NONE)
    assert pod.shim.states["web"].configured == 0


def test_same_probe_again_keeps_the_verdict(pod):
    pod.sandbox()
    pod.start("web", "probe", "listen", "8080", "x")
    pod.probe("web", READINESS, H_TCP, port=8080)
    wait_verdict(pod, "web", READINESS, True)
    seen = len(pod.shim.history)
    pod.probe("web", READINESS, H_TCP, port=8080)
    pod.shim.do(HELLO)
    assert all(s.passed & 1 for s in pod.shim.history[seen:])


def test_liveness_rests_after_failing(pod):
    pod.sandbox()
    pod.probe("c", LIVENESS, H_TCP, port=9, failure_threshold=3, period_ms=50)
    t = time.monotonic()
    pod.start("c", "probe", "sleep")
    state = wait_verdict(pod, "c", LIVENESS, False)
    assert 0.09 < time.monotonic() - t < 2
    assert bytes(state.messages[1]).split(b"\0")[0] == b"connection refused"
    pod.stop("c", grace=0)
    state = pod.shim.wait_phase("c", ENDED)
    pod.start("c", "probe", "sleep", attempt=1)
    assert pod.shim.wait_phase("c", RUNNING).decided == 0      # a new run, a new chance
    wait_verdict(pod, "c", LIVENESS, False)


def test_startup_holds_the_others_back(pod):
    pod.sandbox()
    pod.probe("c", STARTUP, H_EXEC, pod.exec_program("probe", "exists", "/tmp/up"),
              failure_threshold=1000, period_ms=50)
    pod.probe("c", READINESS, H_EXEC, pod.exec_program("probe", "exists", "/tmp"), period_ms=50)
    pod.start("c", "probe", "sleep")
    time.sleep(0.3)
    pod.shim.do(HELLO)
    assert pod.shim.states["c"].decided == 0
    (pod.root / "tmp/up").write_text("")
    wait_verdict(pod, "c", STARTUP, True)
    state = wait_verdict(pod, "c", READINESS, True)
    assert state.passed == 1 << STARTUP | 1 << READINESS


def test_exec_probe_tells_what_it_said(pod):
    pod.sandbox()
    pod.probe("c", LIVENESS, H_EXEC,
              pod.exec_program("sh", "-c", "echo no database; echo more >&2; exit 3"))
    pod.start("c", "probe", "sleep")
    state = wait_verdict(pod, "c", LIVENESS, False)
    assert bytes(state.messages[1]).split(b"\0")[0] == b"exit code 3: no database more"


def test_exec_probe_may_say_a_lot(pod):
    pod.sandbox()
    pod.probe("c", READINESS, H_EXEC, pod.exec_program("probe", "flood", "1000000"))
    pod.start("c", "probe", "sleep")
    wait_verdict(pod, "c", READINESS, True)


def test_exec_probe_is_killed_at_its_timeout(pod):
    pod.sandbox()
    pod.probe("c", LIVENESS, H_EXEC, pod.exec_program("sleep", "77"), timeout_ms=200)
    pod.start("c", "probe", "sleep")
    state = wait_verdict(pod, "c", LIVENESS, False)
    assert bytes(state.messages[1]).split(b"\0")[0] == b"no result within 200 ms"
    wait_for(lambda: len(children(pod)) == 1)


def test_initial_delay_and_timeout_of_a_silent_server(pod):
    pod.sandbox()
    pod.probe("c", READINESS, H_HTTP, port=8080, request=HTTP, timeout_ms=200,
              initial_delay_ms=400)
    t = time.monotonic()
    pod.start("c", "sh", "-c", "sleep 100 | busybox nc -l -p 8080")
    state = wait_verdict(pod, "c", READINESS, False)
    assert time.monotonic() - t > 0.55
    assert bytes(state.messages[0]).split(b"\0")[0] == b"no result within 200 ms"


def test_connections_lead_into_the_pod(pod):
    order = struct.pack("HHHH", 9000, 0, 0, 0)
    assert pod.shim.ask(CONNECT, order)[0].error == errno.ENOTCONN	# no sandbox: that is the host
    pod.sandbox()
    result, fds = pod.shim.ask(CONNECT, order)
    error = result.error
    if fds:		# it was still under way
        with socket.socket(fileno=fds[0]) as s:
            select.select([], [s], [], 5)
            error = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    assert error == errno.ECONNREFUSED
    pod.start("c", "/bin/probe", "listen", "9000", "inside")
    pod.wait_line("c", "listening")
    fd, = pod.shim.do(CONNECT, order)
    with socket.socket(fileno=fd) as s:
        s.setblocking(True)
        s.settimeout(5)
        assert s.getpeername() == ("127.0.0.1", 9000)
        s.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = b""
        while b"inside" not in answer:
            chunk = s.recv(4096)
            assert chunk, answer
            answer += chunk
