# SPDX-License-Identifier: GPL-2.0-or-later
"""Control groups as the kernel enforces them, on whatever hierarchy this machine has: v1, hybrid
or v2. Groups are made below a root of the test's own by tests/helpers/cgroups.c."""

import os
import subprocess
import sys
import time

import pytest

from harness import never, wait_for

BUILD = os.environ.get("BUILD", os.path.join(os.path.dirname(__file__), "../../build"))
HELPER = os.path.join(BUILD, "tests/helpers/cgroups")
MIB = 1 << 20

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

# Touches so many MiB, then says how many it got by its exit code 0.
EAT = f"exec {sys.executable} -c 'b = bytearray(%d << 20)'"

BOMB = """
import os, time
while True:
    try:
        os.fork()
    except OSError:
        pass
    time.sleep(0.01)
"""


class Groups:
    def __init__(self, root):
        self.root = root
        self.helper = subprocess.Popen([HELPER, root], text=True, bufsize=1,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.answer() == []
        self.v2 = self.do("v2") == ["yes"]

    def answer(self):
        line = self.helper.stdout.readline().strip()
        if not line.startswith("ok"):
            raise RuntimeError(line)
        return line.split()[1:]

    def do(self, *words):
        self.helper.stdin.write(" ".join(str(w) for w in words) + "\n")
        return self.answer()

    def ensure(self, path, leaf=True, cpu=0, request=0, memory=0, pids=0):
        self.do("ensure", path, int(leaf), cpu, request, memory, pids)

    def run(self, path, command):
        return int(self.do("run", path, command)[0])

    def wait(self, pid):
        return int(self.do("wait", pid)[0])

    def usage(self, path):
        names = ("cpu_ns", "memory", "inactive", "throttled", "oom_kills", "pids")
        return dict(zip(names, map(int, self.do("usage", path))))

    def dirs(self, path):
        """The directories of a group in all hierarchies."""
        words = self.do("entry", path)
        return {os.path.dirname(w) for w in words[2:]} | {w for w in words[:1] if w != "-"}

    def close(self):
        self.do("kill", "")
        end = time.monotonic() + 5
        while True:
            try:
                self.do("remove", "")
                break
            except RuntimeError:
                assert time.monotonic() < end
                time.sleep(0.05)
        self.helper.stdin.close()
        self.helper.wait()
        for d in self.dirs_of_root:
            assert not os.path.exists(d), d


@pytest.fixture
def groups(request):
    g = Groups(f"orch-test-{os.getpid()}/{request.node.name[:40]}")
    g.dirs_of_root = g.dirs("")
    try:
        yield g
    finally:
        g.close()
        for d in g.dirs_of_root:
            if os.path.isdir(os.path.dirname(d)) and not os.path.ismount(os.path.dirname(d)):
                os.rmdir(os.path.dirname(d))


def test_memory_limit_kills(groups):
    g = groups
    g.ensure("pod/c", memory=64 * MIB)
    assert g.wait(g.run("pod/c", EAT % 8)) == 0
    assert g.usage("pod/c")["oom_kills"] == 0
    assert g.wait(g.run("pod/c", EAT % 200)) == 137
    assert g.usage("pod/c")["oom_kills"] >= 1
    oom_file = g.do("entry", "pod/c")[1]
    with open(oom_file) as f:
        assert any(line.startswith("oom_kill ") and line.split()[1] != "0" for line in f)


def test_memory_limit_of_the_pod(groups):
    g = groups
    g.ensure("pod", leaf=False, memory=64 * MIB)
    g.ensure("pod/c")
    assert g.wait(g.run("pod/c", EAT % 200)) == 137


def test_cpu_quota_throttles(groups):
    g = groups
    g.ensure("pod/c", cpu=200)
    start = time.monotonic()
    pid = g.run("pod/c", "while :; do :; done")
    time.sleep(1.5)
    usage = wait_for(lambda: (u := g.usage("pod/c"))["throttled"] > 3 and u, 20, "it is throttled")
    elapsed = time.monotonic() - start
    os.kill(pid, 9)
    g.wait(pid)
    assert usage["cpu_ns"] / 1e9 / elapsed < 0.3
    assert usage["cpu_ns"] / 1e6 > 60	# each time after its 20 ms


def test_pids_limit(groups):
    g = groups
    g.ensure("pod/c", pids=5)
    assert g.wait(g.run("pod/c", "for i in 1 2 3; do sleep 0.2 & done; wait")) == 0
    assert g.wait(g.run("pod/c", "for i in 1 2 3 4 5 6 7; do sleep 0.2 & done; wait")) != 0


def test_limits_change_while_it_runs(groups):
    g = groups
    g.ensure("pod/c", cpu=100, memory=64 * MIB)
    g.do("set", "pod/c", 0, 0, 0, 0)
    assert g.wait(g.run("pod/c", EAT % 100)) == 0
    g.do("set", "pod/c", 0, 0, 64 * MIB, 0)
    assert g.wait(g.run("pod/c", EAT % 200)) == 137
    g.ensure("pod/c", memory=256 * MIB)
    assert g.wait(g.run("pod/c", EAT % 100)) == 0


def limits_of(g, path):
    """What the kernel says the limits are, in the words of v1 or of v2."""
    found = {}
    for d in g.dirs(path):
        for name in ("cpu.max", "cpu.weight", "memory.max", "cpu.cfs_quota_us", "cpu.shares",
                     "memory.limit_in_bytes", "pids.max", "memory.oom.group"):
            if os.path.exists(f"{d}/{name}"):
                with open(f"{d}/{name}") as f:
                    found[name] = f.read().strip()
    return found


def test_values(groups):
    g = groups
    g.ensure("pod/c", cpu=1500, request=500, memory=64 * MIB, pids=100)
    v = limits_of(g, "pod/c")
    assert v["pids.max"] == "100"
    if g.v2:
        assert v["cpu.max"] == "150000 100000" and v["cpu.weight"] == "20"
        assert v["memory.max"] == str(64 * MIB) and v["memory.oom.group"] == "1"
    else:
        assert v["cpu.cfs_quota_us"] == "150000" and v["cpu.shares"] == "512"
        assert v["memory.limit_in_bytes"] == str(64 * MIB)
    g.ensure("pod/d")
    v = limits_of(g, "pod/d")
    assert v["pids.max"] == "max"
    assert v.get("cpu.shares") == "2" or v.get("cpu.weight") == "1"


def test_spawned_into_every_hierarchy(groups):
    g = groups
    g.ensure("pod/c")
    pid = g.run("pod/c", "exec sleep 100")
    time.sleep(0.2)
    for d in g.dirs("pod/c"):
        with open(f"{d}/cgroup.procs") as f:
            assert f.read().split() == [str(pid)], d
    assert g.usage("pod/c")["pids"] == 1
    g.do("kill", "pod")
    assert g.wait(pid) == 137


def test_kill_takes_the_subtree(groups):
    g = groups
    g.ensure("pod/a")
    g.ensure("pod/b")
    pids = [g.run(f"pod/{c}", "trap '' TERM INT; sleep 100 & sleep 100 & wait") for c in "aab"]
    time.sleep(0.2)
    with pytest.raises(RuntimeError, match="error -16"):
        g.do("remove", "pod")
    g.do("kill", "pod/b")
    assert g.wait(pids[2]) == 137
    os.kill(pids[0], 0)
    g.do("kill", "pod")
    assert [g.wait(p) for p in pids[:2]] == [137, 137]


def test_kill_a_fork_bomb(groups, tmp_path):
    g = groups
    (tmp_path / "bomb.py").write_text(BOMB)
    g.ensure("pod/c", pids=60)
    pid = g.run("pod/c", f"exec {sys.executable} {tmp_path}/bomb.py")
    wait_for(lambda: g.usage("pod/c")["pids"] > 50, 20, "it has grown")
    g.do("kill", "pod/c")
    assert g.wait(pid) == 137

    def members():
        return [p for d in g.dirs("pod/c") for p in open(f"{d}/cgroup.procs").read().split()]
    wait_for(lambda: not members(), 5, "all are gone")
    never(members, 0.2, "and nobody comes back")


def test_list_and_remove(groups):
    g = groups
    assert g.do("list", "") == []
    for name in ("one/x", "two/y"):
        g.ensure(name)
    assert sorted(g.do("list", "")) == ["one", "two"]
    g.do("remove", "one")
    assert g.do("list", "") == ["two"]
    g.do("remove", "one")
    with pytest.raises(RuntimeError, match="error -2"):
        g.usage("one")


def test_ensure_again_changes_nothing(groups):
    g = groups
    g.ensure("pod/c", cpu=500, memory=64 * MIB)
    before = limits_of(g, "pod/c")
    g.ensure("pod/c", cpu=500, memory=64 * MIB)
    assert limits_of(g, "pod/c") == before
