# SPDX-License-Identifier: GPL-2.0-or-later
"""Pods with users of their own, seen from inside and from the node."""

import json
import os
import subprocess

import pytest

from harness import BUILD, configmap, container, container_status, deployment, pod, wait_for
from test_isolation import facts, runs

FIRST, IDS = 1 << 30, 65536
OWN = {"hostUsers": False}
SLEEP = ("/bin/probe", "sleep")


def ids_of(pid):
    """First id on the node of the user namespace that a process is in."""
    with open(f"/proc/{pid}/uid_map") as f:
        inside, first, count = (int(n) for n in f.read().split())
    with open(f"/proc/{pid}/gid_map") as f:
        assert [int(n) for n in f.read().split()] == [inside, first, count]
    assert inside == 0
    return first if count == IDS else 0


def only_pid(orch, p, name="main"):
    pid, = orch.pids(p, name)
    return pid


def owner(path):
    st = os.lstat(path)
    return st.st_uid, st.st_gid


def status(pid, key):
    with open(f"/proc/{pid}/status") as f:
        return next(line.split()[1:] for line in f if line.startswith(key + ":"))


def settings(orch, **more):
    orch.configure(userNamespaces=more)
    orch.restart()


def namespace_owner(pid, name):
    """Id of the user namespace that a namespace of a process belongs to: ioctl_ns(2)."""
    import fcntl
    with open(f"/proc/{pid}/ns/{name}") as f:
        fd = fcntl.ioctl(f, 0xb701)	# NS_GET_USERNS
    try:
        return os.fstat(fd).st_ino
    finally:
        os.close(fd)


@pytest.mark.v2
@pytest.mark.subset
def test_each_pod_has_ids_of_its_own(orch):
    c = container(orch.rootfs, *SLEEP)
    a = runs(orch, "a", c, **OWN)
    b = runs(orch, "b", {**c, "securityContext": {"runAsUser": 1000, "runAsGroup": 7}},
             securityContext={"supplementalGroups": [99]}, **OWN)
    host = runs(orch, "host", c)
    pids = [only_pid(orch, p) for p in (a, b, host)]
    first = [ids_of(pid) for pid in pids]
    assert first[2] == 0
    assert abs(first[0] - first[1]) >= IDS and all(f >= FIRST and f % IDS == 0 for f in first[:2])
    assert status(pids[0], "Uid") == [str(first[0])] * 4
    assert status(pids[1], "Uid") == [str(first[1] + 1000)] * 4
    assert status(pids[1], "Gid") == [str(first[1] + 7)] * 4
    assert set(status(pids[1], "Groups")) == {str(first[1] + g) for g in (7, 99)}
    user = os.stat(f"/proc/{pids[0]}/ns/user").st_ino
    for name in ("mnt", "net", "ipc", "uts", "cgroup"):
        assert namespace_owner(pids[0], name) == user, name
    inside = facts(orch.exec("b", "/bin/probe", "show").stdout)
    assert (inside["uid"], inside["gid"]) == ("1000", "7")
    assert orch.exec("a", "/bin/probe", "read", "/proc/self/uid_map").stdout.split()[1:] == \
        ["0", str(first[0]), str(IDS)]


@pytest.mark.v2
def test_the_image_is_shared_and_what_is_written_is_the_pods(orch):
    os.chown(f"{orch.rootfs}/etc/passwd", 1000, 7)
    try:
        script = ("stat -c '%u:%g %n' / /etc /etc/hosts /bin/. /dev /dev/pts/. /tmp; "
                  "touch /etc/made && echo x >> /etc/hosts && chown 12:34 /etc/made && "
                  "stat -c '%u:%g %n' /etc/made; cat /proc/self/mountinfo | grep -c overlay; sleep 1000")
        p = runs(orch, "p", container("/", "/bin/sh", "-c", script), **OWN)
        q = runs(orch, "q", container(orch.rootfs, *SLEEP), **OWN)
        text = wait_for(lambda: orch.log_text(p, "main").count("\n") == 9 and orch.log_text(p, "main"))
        lines = text.split("\n")
        assert lines[:8] == ["0:0 /", "0:0 /etc", "0:0 /etc/hosts", "0:0 /bin/.", "0:0 /dev",
                             "65534:65534 /dev/pts/.", "0:0 /tmp", "12:34 /etc/made"]
        first = ids_of(min(orch.pids(p, "main")))
        made = f"{orch.state}/pods/{p['metadata']['uid']}/main.0.upper/etc/made"
        assert owner(made) == (first + 12, first + 34)
        assert not os.path.exists("/etc/made")
        assert owner(f"{orch.rootfs}/etc/passwd") == (1000, 7)
        seen = f"/proc/{only_pid(orch, q)}/root/etc/passwd"
        mine = ids_of(only_pid(orch, q))
        assert owner(seen) == (mine + 1000, mine + 7)
        used = subprocess.run(["du", "-s", f"{orch.state}/pods/{q['metadata']['uid']}"], text=True,
                              capture_output=True, check=True).stdout.split()[0]
        assert int(used) < 100		# nothing was copied
    finally:
        os.chown(f"{orch.rootfs}/etc/passwd", 0, 0)


def volume_pod(orch, name, script, volumes, **more):
    return orch.script(name, script, spec={**OWN, "volumes": volumes, **more},
               volumeMounts=[{"name": v["name"], "mountPath": "/v/" + v["name"]} for v in volumes])


@pytest.mark.v2
@pytest.mark.subset
def test_volumes(orch):
    """What others may have, too, keeps its owners; what is the pod's alone is the pod's users'."""
    shared = os.path.join(orch.dir, "shared")
    os.mkdir(shared)
    os.chown(shared, 1000, 1000)
    with open(f"{shared}/theirs", "w") as f:
        f.write("theirs\n")
    os.chown(f"{shared}/theirs", 1000, 1000)
    os.chmod(f"{shared}/theirs", 0o600)
    orch.write("c.yaml", configmap("c", key="value"),
               {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"},
                "stringData": {"key": "secret"}},
               {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "claim"},
                "spec": {"accessModes": ["ReadWriteOnce"],
                         "resources": {"requests": {"storage": "1Gi"}}}})
    volumes = [{"name": "shared", "hostPath": {"path": shared}},
               {"name": "disk", "emptyDir": {}}, {"name": "memory", "emptyDir": {"medium": "Memory"}},
               {"name": "config", "configMap": {"name": "c"}},
               {"name": "secret", "secret": {"secretName": "s", "defaultMode": 0o400}},
               {"name": "claim", "persistentVolumeClaim": {"claimName": "claim"}},
               {"name": "labels", "projected": {"sources": [
                   {"downwardAPI": {"items": [{"path": "name",
                                               "fieldRef": {"fieldPath": "metadata.name"}}]}}]}}]
    script = ("stat -c '%u:%g %n' /v/*; cat /v/shared/theirs /v/config/key /v/secret/key /v/labels/name; "
              "for d in shared disk memory claim; do touch /v/$d/root; "
              "touch /v/$d/user && chown 12:34 /v/$d/user && stat -c '%u:%g %n' /v/$d/user; done")
    text = volume_pod(orch, "p", script, volumes)
    assert text.splitlines() == [
        "0:0 /v/claim", "0:0 /v/config", "0:0 /v/disk", "0:0 /v/labels", "0:0 /v/memory",
        "0:0 /v/secret", "1000:1000 /v/shared", "theirs", "valuesecretp12:34 /v/shared/user",
        "12:34 /v/disk/user", "12:34 /v/memory/user", "12:34 /v/claim/user"]
    uid = orch.pod("p")["metadata"]["uid"]
    assert owner(f"{shared}/root") == (0, 0) and owner(f"{shared}/user") == (12, 34)
    kept, = os.listdir(f"{orch.state}/volumes")
    assert owner(f"{orch.state}/volumes/{kept}/user") == (12, 34)
    disk = f"{orch.state}/pods/{uid}/volumes/disk"
    first = owner(f"{disk}/root")[0]
    assert first >= FIRST and owner(f"{disk}/user") == (first + 12, first + 34)
    files = f"{orch.run_dir}/pods/{uid}/volumes"
    assert owner(f"{files}/secret/..data/key") == (first, first)
    # another pod, other ids, the same claim
    orch.remove("p.yaml")
    wait_for(lambda: orch.pod("p") is None)
    assert orch.script("again", "stat -c %u:%g /v/claim/root /v/claim/user",
               spec={**OWN, "volumes": [volumes[5]]},
               volumeMounts=[{"name": "claim", "mountPath": "/v/claim"}]).split() == ["0:0", "12:34"]


@pytest.mark.v2
def test_group_of_volumes(orch):
    orch.write("c.yaml", configmap("c", key="value"),
               {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "claim"},
                "spec": {"accessModes": ["ReadWriteOnce"],
                         "resources": {"requests": {"storage": "1Gi"}}}})
    volumes = [{"name": "disk", "emptyDir": {}}, {"name": "memory", "emptyDir": {"medium": "Memory"}},
               {"name": "config", "configMap": {"name": "c", "defaultMode": 0o400}},
               {"name": "claim", "persistentVolumeClaim": {"claimName": "claim"}}]
    text = volume_pod(orch, "p", "id; cat /v/config/key; echo; for d in disk memory claim; do "
                      "touch /v/$d/made && stat -c '%u:%g %A' /v/$d /v/$d/made; done", volumes,
                      securityContext={"runAsUser": 1000, "runAsGroup": 1000, "fsGroup": 555})
    lines = text.splitlines()
    assert "555" in lines[0] and lines[1] == "value"
    assert [line.split()[0] for line in lines[2:]] == ["0:555", "1000:555"] * 3
    assert all(line.split()[1].startswith("drwxrwsr") for line in lines[2::2])
    kept, = os.listdir(f"{orch.state}/volumes")
    assert owner(f"{orch.state}/volumes/{kept}/made") == (1000, 555)


@pytest.mark.v2
def test_what_cannot_be_mapped_is_said(orch):
    volumes = [{"name": "k", "hostPath": {"path": "/sys/kernel"}}]
    orch.write("p.yaml", pod("p", container(orch.rootfs, *SLEEP, volumeMounts=[
        {"name": "k", "mountPath": "/k"}]), volumes=volumes, restartPolicy="Never", **OWN))
    def failed():
        s = container_status(orch.pod("p") or {})
        return s.get("state", {}).get("terminated") or s.get("state", {}).get("waiting", {}).get("message")
    wait_for(lambda: "cannot be mapped to the ids of a user namespace" in json.dumps(failed()), 10)
    assert "/sys/kernel" in json.dumps(failed())


@pytest.mark.v2
def test_ids_beyond_the_range_are_refused(orch):
    orch.write("p.yaml", pod("p", container(orch.rootfs, *SLEEP,
                                            securityContext={"runAsUser": 65536}), **OWN))
    wait_for(lambda: "65536 is nobody in the pod's user namespace" in json.dumps(
        orch.pod("p")), 10)


@pytest.mark.v2
def test_root_inside_is_nobody_outside(orch):
    """All capabilities, and still nothing of the node."""
    script = ("grep CapEff /proc/self/status; hostname own && hostname; "
              "mount -t tmpfs none /mnt && echo mounted; "
              "ip link add dummy9 type dummy 2>/dev/null || true; ip addr add 192.0.2.9/32 dev lo && echo addressed; "
              "mknod /root/zero c 1 5 || echo no-device; echo x > /proc/sys/kernel/core_pattern || echo no-sysctl; "
              "umount /proc/kcore || echo locked; mount -o remount,rw /sys || echo read-only; "
              "echo x > /sys/kernel/uevent_helper || echo no-sysfs; "
              "nsenter -t 1 -m true || echo no-host; date -s 2001-01-01 || echo no-clock; "
              "cat /dev/null && echo device; echo done > /dev/stdout; ls -ln /proc/self/fd/1 | cut -d' ' -f3")
    before = open("/proc/sys/kernel/core_pattern").read()
    text = orch.script("p", script, spec=OWN,
               securityContext={"capabilities": {"add": ["ALL"]}, "seccompProfile": {"type": "Unconfined"},
                                "allowPrivilegeEscalation": True})
    words = text.split()
    last = int(open("/proc/sys/kernel/cap_last_cap").read())
    assert int(words[1], 16) == (1 << last + 1) - 1
    assert {"own", "mounted", "addressed", "no-device", "no-sysctl", "locked", "read-only", "no-sysfs",
            "no-clock", "device", "done"} <= set(words), text
    assert open("/proc/sys/kernel/core_pattern").read() == before


@pytest.mark.v2
@pytest.mark.subset
def test_exec_probes_and_terminals(orch):
    c = container("/", "/bin/sh", "-c", "touch /tmp/ready; exec sleep 1000", name="main",
                  securityContext={"runAsUser": 33, "runAsGroup": 33},
                  readinessProbe={"exec": {"command": ["sh", "-c", "id -u | grep 33 && test -O /tmp/ready"]},
                                  "periodSeconds": 1},
                  lifecycle={"postStart": {"exec": {"command": ["sh", "-c", "id -u > /tmp/hook"]}}})
    orch.write("p.yaml", pod("p", c, **OWN))
    p, = orch.wait_ready(1)
    first = ids_of(only_pid(orch, p))
    assert status(only_pid(orch, p), "Uid") == [str(first + 33)] * 4
    assert orch.exec("p", "sh", "-c", "cat /tmp/hook; id -u").stdout.split() == ["33", "33"]
    r = orch.ns.run("script", "-qec", f"{BUILD}/orchctl --socket {orch.sock} "
                    "exec -it p -- sh -c 'tty; stat -c %u:%g $(tty); stty size > /dev/null && echo sized'",
                    "/dev/null")
    assert "/dev/pts/" in r.stdout and "33:5" in r.stdout and "sized" in r.stdout
    orch.kill9()
    orch.start()
    assert orch.exec("p", "id", "-u").stdout.split() == ["33"]


@pytest.mark.v2
def test_one_process_namespace_and_parameters(orch):
    p = runs(orch, "p", container("/", "/bin/sh", "-c", "exec sleep 4321", name="main"),
             container("/", "/bin/sh", "-c", "cat /proc/sys/kernel/shm_rmid_forced; sleep 0.5; "
                       "ps ax -o uid=,args=; sleep 1000", name="other"), shareProcessNamespace=True,
             securityContext={"sysctls": [{"name": "kernel.shm_rmid_forced", "value": "1"},
                                          {"name": "net.ipv4.tcp_syncookies", "value": "0"}]}, **OWN)
    text = wait_for(lambda: "sleep 4321" in orch.log_text(p, "other") and orch.log_text(p, "other"), 10)
    assert text.splitlines()[0] == "1"
    assert {line.split()[0] for line in text.splitlines()[1:]} == {"0"}	# also of the first one


@pytest.mark.v2
def test_ranges_are_kept(orch):
    """A restart knows them, also from another pool; one that is free again can be had."""
    settings(orch, first=FIRST + 2 * IDS, count=3)
    def sleeping(name):
        return runs(orch, name, container(orch.rootfs, *SLEEP), **OWN)
    def ids():
        return {name: ids_of(only_pid(orch, orch.pod(name))) for name in ("a", "b", "c")
                if orch.pod(name)}
    sleeping("a")
    sleeping("b")
    before = ids()
    assert set(before.values()) <= {FIRST + n * IDS for n in (2, 3, 4)} and len(set(before.values())) == 2
    orch.kill9()
    orch.start()
    orch.wait_settled()
    assert ids() == before
    sleeping("c")
    assert len(set(ids().values())) == 3
    orch.write("d.yaml", pod("d", container(orch.rootfs, *SLEEP), **OWN))
    wait_for(lambda: "all 3 ranges of user ids are taken" in orch.log() + json.dumps(orch.pod("d") or {}),
             10)
    freed = ids()["a"]
    orch.remove("a.yaml")
    orch.apply(allowDelete=-1)
    d = orch.wait_running("d")
    assert ids_of(only_pid(orch, d)) == freed
    settings(orch, first=FIRST, count=100)
    orch.wait_settled()
    orch.write("e.yaml", deployment("e", 3, container(orch.rootfs, *SLEEP), pod_more=OWN))
    pods = orch.wait_ready(3, app="e")
    taken = [ids_of(only_pid(orch, p)) for p in pods] + [ids()["b"], ids()["c"], freed]
    assert len(set(taken)) == 6


@pytest.mark.v2
def test_user_namespaces_by_default(orch):
    settings(orch, default=True)
    c = container(orch.rootfs, *SLEEP)
    own = runs(orch, "own", c)
    assert ids_of(only_pid(orch, own)) >= FIRST
    for name, more in (("said", {"hostUsers": True}), ("net", {"hostNetwork": True}),
                       ("pids", {"hostPID": True}), ("ipc", {"hostIPC": True}),
                       ("high", {"securityContext": {"runAsUser": 70000}})):
        assert ids_of(min(orch.pids(runs(orch, name, c, **more), "main"))) == 0, name
    p = runs(orch, "priv", {**c, "securityContext": {"privileged": True}})
    assert ids_of(only_pid(orch, p)) == 0


@pytest.mark.v2
def test_services_lead_to_pods_with_own_users(orch):
    orch.write("p.yaml", pod("p", container(orch.rootfs, "/bin/probe", "listen", "80", "hello", readinessProbe={
        "tcpSocket": {"port": 80}, "periodSeconds": 1}, securityContext={"runAsUser": 1000}), **OWN))
    p, = orch.wait_ready(1)
    assert "hello" in orch.http(p["status"]["podIP"], 80)[1]


@pytest.mark.v2
def test_all_of_proc(orch):
    """Unmasked: who is root of the pod's own network may set its parameters, and containers inside
    containers can have a /proc of theirs; what is the node's stays out of reach."""
    script = ("exec 2>/dev/null; echo 1 > /proc/sys/net/ipv4/ip_forward && echo network; grep -c ' /proc/' /proc/self/mountinfo; "
              "unshare -Urpf --mount-proc true && echo nested; "
              "echo x > /proc/sys/kernel/core_pattern || echo x > /proc/sysrq-trigger || "
              "head -c 1 /proc/kcore || echo out-of-reach")
    bare = {"seccompProfile": {"type": "Unconfined"}, "capabilities": {"add": ["NET_ADMIN"]}}
    before = open("/proc/sys/kernel/core_pattern").read()
    assert orch.script("all", script, spec=OWN, securityContext={**bare, "procMount": "Unmasked"}).split() == \
        ["network", "0", "nested", "out-of-reach"]
    masked = orch.script("some", script, spec=OWN, securityContext=bare).split()
    assert int(masked[0]) > 5 and "network" not in masked and "nested" not in masked
    assert open("/proc/sys/kernel/core_pattern").read() == before
