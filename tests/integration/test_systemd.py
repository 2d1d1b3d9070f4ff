# SPDX-License-Identifier: GPL-2.0-or-later
"""The units as they are installed: orchd.service comes and goes, and what runs below
orch-pods.service stays, process by process and limit by limit.

Installs into the system that it runs in, so only the throw-away machine of scripts/run-in-vm with
systemd as PID 1 will do. The tests share one installation and go from start to stop, in order."""

import json
import os
import shutil
import signal
import subprocess
import time

import pytest

from harness import (BUILD, CGROUPS, SLOW, TOP, UnixHTTP, cmdline, container, container_status,
                     is_ready, pod, procs, start_time, state, wait_for)


def why_not():
    with open("/proc/1/comm") as f:
        if f.read().strip() != "systemd":
            return "PID 1 is not systemd"
    return "" if os.environ.get("ORCH_VM") else "installs units: only in the throw-away machine"


if why_not():
    pytest.skip(why_not(), allow_module_level=True)

UNITS = ("orch-pods.service", "orchd.service")
PODS = f"{CGROUPS}/system.slice/orch-pods.service"
LIMITS = {"memory.max": "33554432", "cpu.max": "20000 100000", "pids.max": "20"}


def systemctl(*args, check=True):
    r = subprocess.run(["systemctl", *args], text=True, capture_output=True, timeout=60 * SLOW)
    assert not check or r.returncode == 0, f"systemctl {args}: {r.stdout}{r.stderr}{journal()}"
    return r


def journal():
    return subprocess.run(["journalctl", "-b", "-o", "cat", "-n", "40", *(f"-u{u}" for u in UNITS)],
                          text=True, capture_output=True).stdout


def show(unit, key):
    return systemctl("show", "-P", key, unit).stdout.strip()


def orchctl(*args, check=True):
    r = subprocess.run(["/usr/bin/orchctl", *args], text=True, capture_output=True,
                       timeout=60 * SLOW)
    assert not check or r.returncode == 0, f"orchctl {args}: {r.stdout}{r.stderr}{journal()}"
    return r


def api(path):
    c = UnixHTTP("/run/orch/api.sock", 10 * SLOW)
    try:
        c.request("GET", path)
        return json.loads(c.getresponse().read())
    finally:
        c.close()


def the_pod(name):
    found = [p for p in api("/api/v1/namespaces/default/pods")["items"]
             if p["metadata"]["name"] == name]
    return found[0] if found else None


def wait_ready(name):
    return wait_for(lambda: is_ready(the_pod(name) or {"metadata": {}}) and the_pod(name), 20,
                    f"{name} is ready")


def read(path):
    with open(path) as f:
        return f.read().strip()


def tree(group):
    """Every process below a control group, and which group it is in."""
    return {(p, start_time(p), d) for d, _, _ in os.walk(group) for p in procs(d) if start_time(p)}


def write(name, *objects):
    """As a careful tool does it: a new file takes the place of the old one."""
    with open(f"/etc/orch/.{name}", "w") as f:
        f.write("---\n".join(json.dumps(o, indent=2) + "\n" for o in objects))
    os.rename(f"/etc/orch/.{name}", f"/etc/orch/{name}")


def limited(p):
    """The limits of web's container, as the kernel has them."""
    group = f"{PODS}/pods/pod{p['metadata']['uid']}/main"
    return {name: read(f"{group}/{name}") for name in LIMITS}


class Before:
    """What must be the same afterwards: processes, control groups, limits, restart counts."""

    def __init__(self):
        self.pod = the_pod("web")
        self.tree = tree(PODS)
        assert limited(self.pod) == LIMITS

    def check(self):
        assert tree(PODS) == self.tree
        assert limited(self.pod) == LIMITS

    def check_adopted(self):
        self.check()
        p = wait_ready("web")
        assert p["metadata"]["uid"] == self.pod["metadata"]["uid"]
        assert container_status(p)["restartCount"] == 0
        assert orchctl("plan", "--detailed-exitcode", check=False).returncode == 0
        assert "adopted 1" in journal()
        self.check()


@pytest.fixture(scope="module")
def installed(rootfs):
    """The files of `make install`, a directory with one pod, both units started."""
    for program, place in (("orchd", "/usr/sbin/orchd"), ("orchctl", "/usr/bin/orchctl"),
                           ("orch-shim", "/usr/lib/orch/orch-shim")):
        os.makedirs(os.path.dirname(place), exist_ok=True)
        shutil.copy2(f"{BUILD}/{program}", place)
    for unit in UNITS:
        shutil.copy2(f"{TOP}/src/systemd/{unit}", f"/lib/systemd/system/{unit}")
    os.makedirs("/etc/orch", exist_ok=True)
    write("web.yaml", pod("web", container(rootfs, "/bin/probe", "sleep", resources={
        "limits": {"memory": "32Mi", "cpu": "200m"}}), annotations={"orch/pids-limit": "20"}))
    systemctl("daemon-reload")
    yield
    systemctl("stop", "orchd", check=False)
    systemctl("kill", "--signal=KILL", "orch-pods", check=False)


def test_units_are_sound(installed):
    r = subprocess.run(["systemd-analyze", "verify", "--man=no", *UNITS], text=True,
                       capture_output=True)
    assert r.returncode == 0 and not r.stderr, r.stderr
    systemctl("enable", *UNITS)
    assert systemctl("is-enabled", *UNITS).stdout.split() == ["enabled", "enabled"]


def test_start_ends_when_orchd_is_ready(installed):
    systemctl("start", "orchd")
    assert api("/apis/orch/v1/status")["revision"] >= 0		# at once: start waits for READY=1
    assert show("orchd", "ActiveState") == show("orch-pods", "ActiveState") == "active"
    assert show("orchd", "Type") == "notify"


def test_pod_runs_with_its_limits_below_the_other_unit(installed):
    p = wait_ready("web")
    assert limited(p) == LIMITS
    group = f"{PODS}/pods/pod{p['metadata']['uid']}"
    assert [b"/bin/probe" in cmdline(x) for x in procs(f"{group}/main")] == [True]
    # the supervisor, too; in orchd's unit is what goes with it: itself and where shims are born
    assert [x for x, _, _ in tree(group) if b"orch-shim" in cmdline(x)]
    unit = [x for x, _, _ in tree(f"{CGROUPS}/system.slice/orchd.service")]
    assert sorted(read(f"/proc/{x}/comm").strip() for x in unit) == ["orch-nursery", "orchd"]
    assert int(show("orchd", "MainPID")) in unit
    assert not procs(PODS), "a group that hands out controllers has no processes"
    assert {"cpu", "memory", "pids"} <= set(read(f"{PODS}/cgroup.subtree_control").split())


def test_memory_kill_stops_neither_unit(installed, rootfs):
    write("eater.yaml", pod("eater", container(rootfs, "/bin/probe", "alloc", "200", resources={
        "limits": {"memory": "16Mi"}}), restartPolicy="Never"))
    p = wait_for(lambda: state(the_pod("eater") or {})[0] == "terminated" and the_pod("eater"), 20)
    assert state(p)[1]["reason"] == "OOMKilled"
    os.unlink("/etc/orch/eater.yaml")
    wait_for(lambda: not the_pod("eater"), 20)
    assert show("orchd", "ActiveState") == show("orch-pods", "ActiveState") == "active"
    assert limited(the_pod("web")) == LIMITS


def test_restart_leaves_pods_alone(installed):
    before, main = Before(), show("orchd", "MainPID")
    systemctl("restart", "orchd")
    assert show("orchd", "MainPID") not in ("0", main)
    before.check_adopted()


def test_stop_and_start_leave_pods_alone(installed):
    before = Before()
    systemctl("stop", "orchd")
    assert show("orchd", "ActiveState") == "inactive"
    assert show("orchd", "Result") == "success"
    assert show("orch-pods", "ActiveState") == "active"
    time.sleep(0.5)
    before.check()
    systemctl("start", "orchd")
    before.check_adopted()


def test_killed_orchd_comes_back(installed):
    before, main = Before(), int(show("orchd", "MainPID"))
    os.kill(main, signal.SIGKILL)
    wait_for(lambda: show("orchd", "ActiveState") == "active" and
             int(show("orchd", "MainPID")) not in (0, main), 20, "systemd starts it again")
    before.check_adopted()


def test_reload_reads_the_directory_anew(installed):
    write("more.yaml", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "more"},
                        "data": {"a": "old"}})
    config = "/api/v1/namespaces/default/configmaps/more"
    wait_for(lambda: api(config).get("data") == {"a": "old"}, 20)
    before, main = Before(), show("orchd", "MainPID")
    # through a name outside: the directory's inotify watch says nothing of it
    os.link("/etc/orch/more.yaml", "/etc/more.link")
    time.sleep(3)		# the link itself is a change of the file
    text = read("/etc/more.link").replace("old", "new")
    with open("/etc/more.link", "w") as f:
        f.write(text + "\n")
    systemctl("reload", "orchd")
    wait_for(lambda: api(config)["data"] == {"a": "new"}, 5)
    assert show("orchd", "MainPID") == main
    before.check()


def test_systemd_itself_reloads(installed):
    before = Before()
    for verb in ("daemon-reload", "daemon-reexec"):
        systemctl(verb)
        before.check()
    assert show("orchd", "ActiveState") == show("orch-pods", "ActiveState") == "active"


def test_settings_that_are_wrong_fail_the_start(installed):
    before = Before()
    systemctl("stop", "orchd")
    write("orchd.yaml", {"apiVersion": "orch/v1", "kind": "OrchdConfiguration",
                         "podCIDR": "nonsense"})
    assert systemctl("start", "orchd", check=False).returncode != 0
    assert "podCIDR" in journal()
    systemctl("stop", "orchd")		# and with it the attempts to start it again
    os.unlink("/etc/orch/orchd.yaml")
    systemctl("reset-failed", "orchd")
    systemctl("start", "orchd")
    before.check_adopted()


def test_stopping_the_pods_unit_ends_everything(installed):
    systemctl("stop", "orch-pods")
    assert show("orchd", "ActiveState") == "inactive"
    assert not os.path.exists(PODS) or not tree(PODS)
    assert not [p for p in os.listdir("/proc") if p.isdigit() and b"orch-shim" in cmdline(p)]
    systemctl("start", "orchd")
    p = wait_ready("web")
    assert limited(p) == LIMITS
