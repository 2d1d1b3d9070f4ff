# SPDX-License-Identifier: GPL-2.0-or-later
"""The classic ways out of a container. Each is seen refused by what the kernel answers, in a pod of
the node's users and in one with its own, and by the node, which is as it was before."""

import contextlib
import ctypes
import hashlib
import json
import os
import socket
import threading
import time

import pytest

from harness import BUILD, container, container_status, in_netns, libc, pod, state, wait_for
from test_isolation import facts, runs

OWN = {"hostUsers": False}
REFUSED = {"EPERM", "EACCES", "EROFS", "ENOENT", "ENOSYS", "ENODATA", "ENXIO", "ENODEV", "ENOTDIR",
           "ESRCH", "EISDIR", "EIO"}
# What the kernel lets anybody do because it leads nowhere: (attempt, why).
HARMLESS = {
    "open_exe": "of the container's own first process, which is the probe itself",
    "open_memory": "so", "read_memory": "so", "list_descriptors": "so", "trace": "so",
    "take_descriptor": "so",
}
RENAME_EXCHANGE = 2


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def node(orch):
    """What must not change."""
    facts_of_it = {}
    for path in ("/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe",
                 "/sys/kernel/uevent_helper", "/proc/sys/kernel/hostname"):
        with contextlib.suppress(OSError), open(path) as f:
            facts_of_it[path] = f.read()
    facts_of_it["mounts"] = orch.ns.mounts()
    facts_of_it["programs"] = [digest(f"{BUILD}/{p}") for p in ("orchd", "orch-shim")]
    facts_of_it["marker"] = sorted(os.listdir(orch.dir))
    return facts_of_it


@pytest.fixture
def marker(orch):
    path = f"{orch.dir}/marker"
    with open(path, "w") as f:
        f.write("of the node\n")
    return path


def attempts(orch, name, marker, *, spec=None, **more):
    before = node(orch)
    c = container(orch.rootfs, "/bin/probe", "escape", marker,
                  volumeMounts=[{"name": "v", "mountPath": "/volume"}], **more)
    _, text = orch.run_to_end(name, c, volumes=[{"name": "v", "emptyDir": {}}], **(spec or {}))
    assert node(orch) == before
    result = facts(text)
    assert len(result) > 80, text
    return result


def assert_refused(result, but=()):
    open_doors = {k: v for k, v in result.items()
                  if v not in REFUSED and k not in HARMLESS and k not in but}
    assert not open_doors


@pytest.mark.v2
@pytest.mark.subset
def test_attempts(orch, marker):
    assert_refused(attempts(orch, "p", marker))


@pytest.mark.v2
def test_attempts_of_other_users(orch, marker):
    result = attempts(orch, "p", marker, spec=OWN)
    assert_refused(result)
    assert result["device_in_tmp"] == result["device_in_volume"] == "EPERM"


@pytest.mark.v2
def test_attempts_without_a_filter(orch, marker):
    """The kernel's own rules hold where no filter answers first: without any capability, and with
    all those that runtimes grant."""
    bare = {"seccompProfile": {"type": "Unconfined"}}
    new = {"new_user", "new_clone", "new_clone3"}	# allowed to anybody, and gives nothing of the node
    keys = {"keyrings", "new_key", "find_key"}		# of the container's own session
    others = {"bpf", "perf", "ring", "fault"}		# as the node's sysctls have it
    assert_refused(attempts(orch, "default", marker, securityContext=bare), new | keys | others)
    dropped = attempts(orch, "dropped", marker,
                       securityContext={**bare, "capabilities": {"drop": ["ALL"]}})
    assert_refused(dropped, new | keys | others)
    assert dropped["by_handle"] == dropped["by_chroot"] == "EPERM"


@pytest.mark.v2
def test_attempts_of_a_root_of_its_own_users(orch, marker):
    """All capabilities and no filter, but not the node's users: namespaces and mounts of its own
    may be had, nothing of the node."""
    result = attempts(orch, "p", marker, spec=OWN, securityContext={
        "capabilities": {"add": ["ALL"]}, "seccompProfile": {"type": "Unconfined"},
        "allowPrivilegeEscalation": True})
    its_own = {"mount_tmpfs", "bind_root", "shared_root", "pivot", "fs_open", "tree_open", "new_user",
               "new_mounts", "new_clone", "new_clone3", "keyrings", "new_key", "find_key", "bpf", "perf",
               "ring", "fault", "host_name", "enter_mnt", "enter_net", "enter_pid", "enter_parent"}
    assert_refused({k: v for k, v in result.items() if v != "EINVAL" and v != "EBUSY"}, its_own)
    for locked in ("unmask", "remount_sys", "remount_proc", "set_attr", "by_init_root", "by_chroot",
                   "by_handle", "module", "ports", "clock_set", "log_of_kernel", "mount_cgroup",
                   "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "device_in_dev"):
        assert result[locked] != "OK", locked


# ---- the shim ----

@pytest.mark.v2
@pytest.mark.subset
@pytest.mark.parametrize("users", ["the node's", "its own"])
def test_the_shims_program_cannot_be_overwritten(orch, users):
    """The container executes what its first process was before: the shim, which then is reached
    from beside it by its /proc/PID/exe."""
    spec = OWN if users == "its own" else {}
    before = digest(f"{BUILD}/orch-shim")
    all_rights = {"privileged": True} if users == "the node's" else {
        "capabilities": {"add": ["SYS_PTRACE", "SYS_ADMIN", "DAC_OVERRIDE"]},
        "allowPrivilegeEscalation": True}
    p = runs(orch, "p", container(orch.rootfs, "/proc/self/exe", "/tmp", name="main",
                                  securityContext=all_rights), **spec)
    shim = orch.shims()[0]
    assert os.readlink(f"/proc/{shim}/exe").startswith("/memfd:orch-shim")
    pid, = orch.pids(p, "main")
    assert os.readlink(f"/proc/{pid}/exe") == os.readlink(f"/proc/{shim}/exe")
    result = facts(orch.exec("p", "/bin/probe", "exe", "1").stdout)
    if "exe" not in result:
        assert "orch-shim" in result["target"]
        assert result["write"] != "OK" and result["truncate"] != "OK", result
    assert digest(f"{BUILD}/orch-shim") == before
    q = runs(orch, "q", container(orch.rootfs, "/bin/probe", "sleep"), **spec)
    assert state(q)[0] == "running"


@pytest.mark.v2
@pytest.mark.parametrize("users", ["the node's", "its own"])
def test_who_joins_is_not_reached_before_it_executes(orch, users):
    """Somebody inside looks at every process that comes: those that join are the shim's for a
    moment, and must never be opened."""
    p = runs(orch, "p", container(orch.rootfs, "/bin/probe", "exe"),
             **(OWN if users == "its own" else {}))
    for _ in range(25):
        assert orch.exec("p", "/bin/probe", "exit", "0").returncode == 0
    assert orch.log_text(p, "main") == ""
    assert container_status(orch.pod("p"))["restartCount"] == 0


@pytest.mark.v2
@pytest.mark.parametrize("users", ["the node's", "its own"])
def test_the_first_process_of_a_shared_namespace_is_out_of_reach(orch, users):
    """It is a copy of the shim that does nothing."""
    spec = {**(OWN if users == "its own" else {}), "shareProcessNamespace": True}
    c = container(orch.rootfs, "/bin/probe", "escape", "/")
    _, text = orch.run_to_end("p", c, **spec)
    result = facts(text)
    for name in HARMLESS:
        assert result[name] in REFUSED, name
    assert result["by_init_root"] in REFUSED


# ---- volumes ----

@pytest.mark.v2
def test_links_of_a_sub_path_lead_nowhere(orch, marker):
    shared = f"{orch.dir}/shared"
    os.mkdir(shared)
    links = {"absolute": orch.dir, "root": "/", "up": "../" * 20 + orch.dir[1:], "own": "."}
    for name, target in links.items():
        os.symlink(target, f"{shared}/{name}")
    for name in links:
        c = container(orch.rootfs, "/bin/probe", "exists", "/mnt/marker", volumeMounts=[
            {"name": "v", "mountPath": "/mnt", "subPath": name}])
        orch.write(f"{name}.yaml", pod(name, c, restartPolicy="Never",
                                       volumes=[{"name": "v", "hostPath": {"path": shared}}]))
    for name in links:
        ended = wait_for(lambda n=name: container_status(orch.pod(n) or {}).get("state", {})
                         .get("terminated"), 15, f"{name} ends")
        assert ended["exitCode"] != 0, name


@pytest.mark.v2
def test_a_sub_path_that_is_swapped_leads_nowhere(orch, marker):
    """While pods start, the directory that they mount is exchanged with a link to one of the node,
    again and again: whoever starts sees the directory or nothing."""
    shared = f"{orch.dir}/shared"
    os.makedirs(f"{shared}/dir/own")
    os.symlink(orch.dir, f"{shared}/link")
    stop = threading.Event()
    a, b = (f"{shared}/{n}".encode() for n in ("dir", "link"))

    def swap():
        while not stop.is_set():
            libc.renameat2(ctypes.c_int(-100), a, ctypes.c_int(-100), b, ctypes.c_uint(RENAME_EXCHANGE))
            time.sleep(0.0001)
    t = threading.Thread(target=swap)
    t.start()
    try:
        volumes = [{"name": "v", "hostPath": {"path": shared}}]
        script = "test -e /mnt/marker && echo escaped; test -e /mnt/own"
        names = [f"p{i}" for i in range(16)]
        for i, name in enumerate(names):
            c = container("/", "/bin/sh", "-c", script, volumeMounts=[
                {"name": "v", "mountPath": "/mnt", "subPath": "dir"}])
            orch.write(f"{name}.yaml", pod(name, c, restartPolicy="Never", volumes=volumes,
                                           **(OWN if i % 4 > 1 else {})))
        for name in names:
            p = orch.wait_over(name, 40)
            assert "escaped" not in orch.log_text(p, "main"), name
    finally:
        stop.set()
        t.join()


# ---- networks ----

@pytest.mark.v2
def test_sockets_of_the_node(orch):
    name = "\0escape-" + os.path.basename(orch.dir)

    def listen():
        s = socket.socket(socket.AF_UNIX)
        s.bind(name)
        s.listen()
        return s
    with in_netns(orch.ns.pid, listen):
        script = ("python3 -c 'import socket,sys\n"
                  f"try: socket.socket(socket.AF_UNIX).connect(\"\\0\" + {json.dumps(name[1:])})\n"
                  "except OSError as e: print(e.errno)\nelse: print(\"connected\")'")
        assert orch.script("p", script) == "111"
        assert orch.script("own", script, spec=OWN) == "111"
        assert orch.script("host", script, spec={"hostNetwork": True}) == "connected"


@pytest.mark.v2
def test_raw_sockets_as_asked_for(orch):
    def sockets(name, spec=None, **context):
        c = container(orch.rootfs, "/bin/probe", "syscall", "raw_socket", "packet_socket",
                      securityContext=context)
        return facts(orch.run_to_end(name, c, **(spec or {}))[1])
    assert sockets("p") == {"raw_socket": "OK", "packet_socket": "OK"}
    none = {"raw_socket": "EPERM", "packet_socket": "EPERM"}
    assert sockets("dropped", capabilities={"drop": ["NET_RAW"]}) == none
    assert sockets("user", runAsUser=1000) == none
    assert sockets("own", OWN, capabilities={"drop": ["ALL"]}) == none
