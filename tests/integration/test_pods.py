# SPDX-License-Identifier: GPL-2.0-or-later
"""One pod at a time: what the kernel, the files and the probe program inside say about limits,
isolation, environment, volumes, restarts, probes and stopping."""

import base64
import os
import re
import signal
import subprocess
import time

import pytest

from harness import (BUILD, IS_V2, configmap, container, container_status, is_ready,
                     never, pod, procs, start_time, state, wait_for)

SLEEP = ("/bin/probe", "sleep")


def facts(text):
    """key=value lines; a key that comes several times has a list."""
    found = {}
    for line in text.splitlines():
        key, _, value = line.partition("=")
        found.setdefault(key, []).append(value)
    return found


def run_to_end(orch, name, *command, pod_more=None, objects=(), **more):
    """Runs a pod once and returns (pod, the text of its log)."""
    return orch.run_to_end(name, container(orch.rootfs, *command, **more), objects,
                           **(pod_more or {}))


def running(orch, name, *command, pod_more=None, objects=(), **more):
    orch.write(f"{name}.yaml", *objects, pod(name, container(orch.rootfs, *command, **more),
                                            **(pod_more or {})))
    return orch.wait_running(name)


# ---- limits ----

@pytest.mark.v2
@pytest.mark.subset
def test_memory_limit_kills_and_says_so(orch):
    p, text = run_to_end(orch, "eater", "/bin/probe", "alloc", "200",
                         resources={"limits": {"memory": "32Mi"}})
    kind, ended = state(p)
    assert (kind, ended["reason"], ended["exitCode"]) == ("terminated", "OOMKilled", 137)
    assert p["status"]["phase"] == "Failed"
    assert "alloc=OK" not in text
    assert "OOMKilled" in orch.ctl("get", "pods").stdout


@pytest.mark.v2
def test_memory_below_the_limit_is_given(orch):
    p, text = run_to_end(orch, "modest", "/bin/probe", "alloc", "16",
                         resources={"limits": {"memory": "64Mi"}})
    assert "alloc=OK" in text and p["status"]["phase"] == "Succeeded"


@pytest.mark.v2
def test_cpu_quota_throttles(orch):
    p = running(orch, "busy", "/bin/probe", "spin", "2",
                resources={"limits": {"cpu": "100m"}}, pod_more={"restartPolicy": "Never"})

    def throttled():
        stat = dict(l.split()[:2] for l in
                    orch.cgroup_file(p, "main", "cpu", "cpu.stat").splitlines())
        return int(stat["nr_throttled"])
    wait_for(lambda: throttled() >= 5, 10, "the kernel counts throttled periods")
    ended = wait_for(lambda: state(orch.pod("busy"))[0] == "terminated" and orch.pod("busy"), 30)
    given = float(facts(orch.log_text(ended, "main"))["cpu"][0])
    assert given < 0.8, f"{given} s of CPU in 2 s at 100m"


@pytest.mark.v2
def test_pids_limit(orch):
    orch.write("bomb.yaml", pod("bomb", container(orch.rootfs, "/bin/probe", "fork", "100"),
                                annotations={"orch/pids-limit": "10"}, restartPolicy="Never"))
    p = wait_for(lambda: state(orch.pod("bomb") or {})[0] == "terminated" and orch.pod("bomb"), 15)
    seen = facts(orch.log_text(p, "main"))
    assert seen["fork"] == ["EAGAIN"]
    assert int(seen["forked"][0]) <= 10


@pytest.mark.v2
def test_requests_become_cpu_weight(orch):
    p = running(orch, "weighted", *SLEEP, resources={"requests": {"cpu": "500m"}})
    if IS_V2:	# 1 + ((shares - 2) * 9999) / 262142
        assert int(orch.cgroup_file(p, "main", "cpu", "cpu.weight")) == 20
    else:
        assert int(orch.cgroup_file(p, "main", "cpu", "cpu.shares")) == 512
    assert p["status"]["qosClass"] == "Burstable"


@pytest.mark.v2
def test_processes_are_where_they_are_limited(orch):
    """The container's, what is executed in it, and the supervisor apart from both."""
    p = running(orch, "placed", *SLEEP, resources={"limits": {"memory": "32Mi"}})
    uid = p["metadata"]["uid"]
    hierarchies = orch.cgroups(uid, "main")
    assert len(hierarchies) == 1 if IS_V2 else len(hierarchies) >= 3
    shims = set(orch.shims())
    assert len(shims) == 1 and all(procs(d) == shims for d in orch.cgroups(uid, "_shim"))
    without = [d for d in orch.cgroups(uid) if not os.path.isdir(f"{d}/_shim")]	# of memory, of pids
    assert bool(without) != IS_V2 and all(procs(d) == shims for d in without)
    exec_ = subprocess.Popen(orch.ns.enter(f"{BUILD}/orchctl", "--socket", orch.sock, "exec",
                                           "placed", "--", "/bin/probe", "sleep"))
    try:
        wait_for(lambda: all(len(procs(d)) == 2 for d in hierarchies), 10, "exec joins the groups")
        assert len({frozenset(procs(d)) for d in hierarchies}) == 1
    finally:
        exec_.terminate()
        exec_.wait()
    if IS_V2:
        assert orch.cgroup_file(p, "main", "memory", "memory.oom.group") == "1\n"
        # no group has both processes and children with controllers
        for d in orch.cgroups():
            for sub, _, _ in os.walk(d):
                with open(f"{sub}/cgroup.subtree_control") as f:
                    assert not (procs(sub) and f.read().strip()), sub


@pytest.mark.v2
def test_limits_that_somebody_changed_are_put_right_by_adoption(orch):
    p = running(orch, "drifts", *SLEEP, resources={"limits": {"memory": "32Mi", "cpu": "200m"}})
    uid = p["metadata"]["uid"]
    files = {("memory", "memory.max"): "67108864", ("cpu", "cpu.max"): "max 100000"} if IS_V2 else \
        {("memory", "memory.limit_in_bytes"): "67108864", ("cpu", "cpu.cfs_quota_us"): "-1"}

    def limits():
        return {f: orch.cgroup_file(p, "main", *f).strip() for f in files}
    wanted, before = limits(), orch.all_pids()
    for (controller, name), text in files.items():
        d, = orch.cgroups(uid, "main", controller)
        with open(f"{d}/{name}", "w") as f:
            f.write(text)
    assert limits() == files != wanted
    orch.restart()
    assert limits() == wanted
    assert orch.all_pids() == before


# ---- isolation ----

@pytest.mark.v2
@pytest.mark.subset
def test_namespaces_are_its_own(orch):
    p, text = run_to_end(orch, "view", "/bin/probe", "show")
    seen = facts(text)
    for ns in ("mnt", "pid", "net", "uts", "ipc", "cgroup"):
        assert seen[f"ns.{ns}"] != [os.readlink(f"/proc/self/ns/{ns}")], ns
    assert seen["pid"] == ["1"] and seen["ppid"] == ["0"]
    assert seen["hostname"] == ["view"]
    assert sorted(k for k in seen if k.startswith("fd.")) == ["fd.0", "fd.1", "fd.2"]
    assert not any(orch.dir in m and " / / " in m for m in seen["mount"] if "overlay" not in m)
    assert "blocked" not in seen and "ignored" not in seen
    assert not re.search(r"orch-test", "".join(seen["cgroup"]))


DEFAULT_CAPS = 0xa80425fb	# chown dac_override fowner fsetid kill setgid setuid setpcap
#				  net_bind_service net_raw sys_chroot mknod audit_write setfcap


@pytest.mark.v2
def test_capabilities_and_no_new_privs(orch):
    with open("/proc/self/status") as f:
        own = int(re.search(r"CapBnd:\s*(\w+)", f.read())[1], 16)
    _, text = run_to_end(orch, "caps", "/bin/probe", "show")
    seen = facts(text)
    for name in ("CapPrm", "CapEff", "CapBnd"):
        assert int(seen[f"status.{name}"][0], 16) == DEFAULT_CAPS & own, name
    for name in ("CapInh", "CapAmb"):
        assert int(seen[f"status.{name}"][0], 16) == 0, name
    assert seen["status.NoNewPrivs"] == ["1"]
    assert seen["status.Seccomp"] == ["2"]


def test_dropped_and_added_capabilities(orch):
    _, text = run_to_end(orch, "none", "/bin/probe", "show",
                         securityContext={"capabilities": {"drop": ["ALL"],
                                                           "add": ["NET_BIND_SERVICE"]}})
    assert int(facts(text)["status.CapEff"][0], 16) == 1 << 10


@pytest.mark.v2
def test_seccomp_refuses(orch):
    refused = ("mount", "umount", "unshare", "userns", "setns", "keyctl", "bpf", "reboot",
               "init_module", "kexec", "perf", "settime")
    _, text = run_to_end(orch, "calls", "/bin/probe", "syscall", *refused, "getpid", "chroot")
    seen = {k: v[0] for k, v in facts(text).items()}
    for call in refused:
        assert seen[call] in ("EPERM", "ENOSYS"), f"{call}={seen[call]}"
    assert seen["getpid"] == "OK" and seen["chroot"] == "OK"


@pytest.mark.v2
def test_runs_as_another_user(orch):
    _, text = run_to_end(orch, "user", "/bin/probe", "show",
                         securityContext={"runAsUser": 1000, "runAsGroup": 1001})
    seen = facts(text)
    assert (seen["uid"], seen["gid"]) == (["1000"], ["1001"])
    assert int(seen["status.CapEff"][0], 16) == 0


def test_run_as_non_root_keeps_root_from_running(orch):
    """The file is taken, with a warning; the container waits, and says why."""
    orch.write("root.yaml", pod("root", container(orch.rootfs, *SLEEP,
                                                  securityContext={"runAsNonRoot": True})))

    def reason():
        states = (orch.pod("root") or {}).get("status", {}).get("containerStatuses", [])
        return states and states[0].get("state", {}).get("waiting", {}).get("message")

    wait_for(lambda: "runAsNonRoot" in (reason() or ""))
    status = orch.pod("root")["status"]["containerStatuses"][0]
    assert status["state"]["waiting"]["reason"] == "CreateContainerConfigError"
    assert status["restartCount"] == 0
    assert "nothing says another user than root" in orch.log()


@pytest.mark.v2
def test_read_only_root(orch):
    _, text = run_to_end(orch, "ro", "/bin/probe", "write", "/etc/new", "x",
                         securityContext={"readOnlyRootFilesystem": True})
    assert "write=EROFS" in text


@pytest.mark.v2
def test_writes_stay_in_its_own_layer(orch):
    _, text = run_to_end(orch, "rw", "/bin/probe", "write", "/etc/new", "x")
    assert "write=OK" in text
    assert not os.path.exists(f"{orch.rootfs}/etc/new")


# ---- what the process is given ----

@pytest.mark.subset
def test_environment_command_and_directory(orch):
    objects = [configmap("cfg", COLOR="blue", other="o"),
               {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "sec"},
                "stringData": {"PASSWORD": "s3cret=="},
                "data": {"BIN": base64.b64encode(b"value").decode()}}]
    p, text = run_to_end(
        orch, "env", "/bin/probe", "show", args=["one", "$(COLOR)-$(NOPE)", "$$(COLOR)"],
        workingDir="/var", objects=objects,
        envFrom=[{"configMapRef": {"name": "cfg"}}, {"prefix": "S_", "secretRef": {"name": "sec"}}],
        env=[{"name": "A", "value": "x $(COLOR)"},
             {"name": "PW", "valueFrom": {"secretKeyRef": {"name": "sec", "key": "PASSWORD"}}},
             {"name": "CM", "valueFrom": {"configMapKeyRef": {"name": "cfg", "key": "other"}}},
             {"name": "NONE", "valueFrom": {"configMapKeyRef": {"name": "cfg", "key": "gone",
                                                                "optional": True}}},
             {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
             {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
             {"name": "MEM", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory"}}}],
        resources={"limits": {"memory": "64Mi"}})
    seen = facts(text)
    env = dict(e.split("=", 1) for e in seen["env"])
    assert seen["arg"] == ["/bin/probe", "show", "one", "blue-$(NOPE)", "$(COLOR)"]
    assert seen["cwd"] == ["/var"]
    assert env["COLOR"] == "blue" and env["other"] == "o"
    assert env["S_PASSWORD"] == "s3cret==" and env["S_BIN"] == "value"
    assert env["A"] == "x blue" and env["PW"] == "s3cret==" and env["CM"] == "o"
    assert "NONE" not in env
    assert env["IP"] == p["status"]["podIP"] and env["NAME"] == "env"
    assert env["MEM"] == str(64 << 20)
    assert env["HOSTNAME"] == "env" and "PATH" in env


def test_missing_config_waits_and_then_starts(orch):
    orch.write("p.yaml", pod("late", container(orch.rootfs, *SLEEP,
                                               envFrom=[{"configMapRef": {"name": "cfg"}}])))
    p = wait_for(lambda: state(orch.pod("late") or {})[0] == "waiting" and orch.pod("late"))
    wait_for(lambda: state(orch.pod("late"))[1].get("reason") == "CreateContainerConfigError", 5)
    assert not orch.pids(p, "main")
    orch.write("cfg.yaml", configmap("cfg", A="1"))
    wait_for(lambda: state(orch.pod("late"))[0] == "running", 30)


@pytest.mark.v2
def test_config_and_secret_volumes(orch):
    objects = [configmap("cfg", **{"a.conf": "one", "b.conf": "two"}), configmap("fix", k="two"),
               {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "sec"},
                "stringData": {"key": "hidden"}}]
    p = running(orch, "vol", *SLEEP, objects=objects,
                volumeMounts=[{"name": "c", "mountPath": "/etc/c"},
                              {"name": "s", "mountPath": "/etc/s", "readOnly": True},
                              {"name": "f", "mountPath": "/etc/only", "subPath": "k"}],
                pod_more={"volumes": [
                    {"name": "c", "configMap": {"name": "cfg"}},
                    {"name": "f", "configMap": {"name": "fix"}},
                    {"name": "s", "secret": {"secretName": "sec", "defaultMode": 0o400}}]})
    pid = min(orch.pids(p, "main"))
    root = f"/proc/{pid}/root"

    def read(path):
        with open(root + path) as f:
            return f.read()
    assert (read("/etc/c/a.conf"), read("/etc/s/key")) == ("one", "hidden")
    assert read("/etc/only") == "two"
    assert os.stat(f"{root}/etc/s/key").st_mode & 0o777 == 0o400
    assert "write=EROFS" in orch.exec("vol", "/bin/probe", "write", "/etc/s/key", "x",
                                      check=False).stdout

    # an edit reaches the volume in place, whole, within a second; nothing restarts
    before = orch.all_pids()
    orch.edit("vol.yaml", '"one"', '"uno"')
    began = time.monotonic()
    wait_for(lambda: read("/etc/c/a.conf") == "uno", 5, "the volume is updated")
    assert time.monotonic() - began < 1.5
    orch.wait_settled()
    assert orch.all_pids() == before
    assert orch.plan()["empty"]


def test_config_used_by_subpath_replaces_the_pod(orch):
    p = running(orch, "sub", *SLEEP, objects=[configmap("cfg", k="one")],
                volumeMounts=[{"name": "c", "mountPath": "/etc/only", "subPath": "k"}],
                pod_more={"volumes": [{"name": "c", "configMap": {"name": "cfg"}}]})
    orch.edit("sub.yaml", '"one"', '"two"')
    wait_for(lambda: orch.pod("sub") and orch.pod("sub")["metadata"]["uid"] != p["metadata"]["uid"]
             and state(orch.pod("sub"))[0] == "running", 10)
    assert "line=two" in orch.exec("sub", "/bin/probe", "read", "/etc/only").stdout


@pytest.mark.v2
def test_hostpath_and_emptydir(orch):
    host = os.path.join(orch.dir, "shared")
    os.mkdir(host)
    mounts = [{"name": "h", "mountPath": "/h"}, {"name": "e", "mountPath": "/e"},
              {"name": "m", "mountPath": "/m"}]
    orch.write("two.yaml", pod(
        "two", container(orch.rootfs, "/bin/probe", "sleep", name="one", volumeMounts=mounts),
        container(orch.rootfs, "/bin/probe", "sleep", name="two", volumeMounts=mounts),
        volumes=[{"name": "h", "hostPath": {"path": host, "type": "Directory"}},
                 {"name": "e", "emptyDir": {}},
                 {"name": "m", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}]))
    wait_for(lambda: all(state(orch.pod("two") or {}, c)[0] == "running" for c in ("one", "two")))
    for d in ("h", "e", "m"):
        assert "write=OK" in orch.exec("two", "/bin/probe", "write", f"/{d}/f", "hello",
                                       container="one").stdout
        assert "line=hello" in orch.exec("two", "/bin/probe", "read", f"/{d}/f",
                                         container="two").stdout
    with open(f"{host}/f") as f:
        assert f.read() == "hello"
    with open(f"/proc/{min(orch.pids(orch.pod('two'), 'one'))}/mountinfo") as f:
        m, = [l for l in f.read().splitlines() if l.split()[4] == "/m"]
    assert " - tmpfs " in m and "size=1024k" in m
    p = orch.pod("two")
    orch.remove("two.yaml")
    orch.apply(allowDelete=-1)
    wait_for(lambda: not orch.pod("two"), 20)
    assert os.path.exists(f"{host}/f"), "a hostPath is never removed"
    wait_for(lambda: not any(p["metadata"]["uid"] in d for d in os.listdir(f"{orch.state}/pods")),
             10, "the emptyDir goes with the pod")


def test_hosts_and_resolv_conf(orch):
    p = running(orch, "names", *SLEEP, pod_more={
        "hostname": "h1", "hostAliases": [{"ip": "10.1.2.3", "hostnames": ["db", "db.local"]}],
        "dnsPolicy": "None", "dnsConfig": {"nameservers": ["10.9.9.9"], "searches": ["x.test"],
                                           "options": [{"name": "ndots", "value": "2"}]}})
    hosts = orch.exec("names", "/bin/probe", "read", "/etc/hosts").stdout.replace("\t", " ")
    assert f"{p['status']['podIP']} h1" in hosts and "10.1.2.3 db db.local" in hosts
    assert "127.0.0.1 localhost" in hosts
    resolv = orch.exec("names", "/bin/probe", "read", "/etc/resolv.conf").stdout
    # of the node and of the cluster there is nothing in it
    assert [line[len("line="):] for line in resolv.splitlines() if line.startswith("line=")] == [
        "nameserver 10.9.9.9", "search x.test", "options ndots:2"]
    assert "hostname=h1" in orch.exec("names", "/bin/probe", "show").stdout
    running(orch, "cluster", *SLEEP)
    resolv = orch.exec("cluster", "/bin/probe", "read", "/etc/resolv.conf").stdout
    assert "search default.svc.cluster.local svc.cluster.local" in resolv


@pytest.mark.v2
def test_standard_devices_and_mounts(orch):
    running(orch, "mounts", *SLEEP)
    seen = facts(orch.exec("mounts", "/bin/probe", "show").stdout)
    points = {m.split()[4]: m for m in seen["mount"]}
    for point in ("/", "/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys",
                  "/etc/hosts", "/etc/hostname", "/etc/resolv.conf"):
        assert point in points, point
    assert points["/sys"].split()[5].startswith("ro")
    assert " - overlay " in points["/"]
    for device in ("null", "zero", "full", "random", "urandom", "tty"):
        assert orch.exec("mounts", "/bin/probe", "exists", f"/dev/{device}").returncode == 0
    # what could harm the host is hidden or read-only
    for path in ("/proc/sys/vm/swappiness", "/proc/sys/kernel/panic"):
        r = orch.exec("mounts", "/bin/probe", "write", path, "0", check=False)
        assert "write=EROFS" in r.stdout, f"{path}: {r.stdout}"


# ---- restarts ----

@pytest.mark.subset
def test_restart_policy_and_back_off(orch):
    orch.write("crash.yaml", pod("crash", container(orch.rootfs, "/bin/probe", "exit", "3")))
    # the first restart comes at once, the second waits for its back-off
    p = wait_for(lambda: container_status(orch.pod("crash") or {}).get("restartCount") == 1 and
                 state(orch.pod("crash"))[0] == "waiting" and orch.pod("crash"), 10)
    assert state(p)[1]["reason"] == "CrashLoopBackOff"
    assert container_status(p)["lastState"]["terminated"]["exitCode"] == 3
    assert "CrashLoopBackOff" in orch.ctl("get", "pods").stdout
    never(lambda: container_status(orch.pod("crash"))["restartCount"] > 1, 3, "restarted early")
    wait_for(lambda: container_status(orch.pod("crash"))["restartCount"] == 2, 15, "after 10 s")


def test_back_off_can_be_shortened(orch):
    orch.write("fast.yaml", pod("fast", container(orch.rootfs, "/bin/probe", "exit", "1"),
                                annotations={"orch/restart-backoff-max": "1s"}))
    wait_for(lambda: container_status(orch.pod("fast") or {}).get("restartCount", 0) >= 4, 15)


@pytest.mark.parametrize("policy,code,phase", [("OnFailure", 0, "Succeeded"),
                                               ("Never", 4, "Failed")])
def test_policies_that_end(orch, policy, code, phase):
    orch.write("p.yaml", pod("p", container(orch.rootfs, "/bin/probe", "exit", str(code)),
                             restartPolicy=policy))
    p = wait_for(lambda: (orch.pod("p") or {}).get("status", {}).get("phase") == phase and
                 orch.pod("p"), 15)
    assert state(p)[1]["exitCode"] == code
    assert container_status(p)["restartCount"] == 0
    orch.wait_settled()


@pytest.mark.v2
def test_killed_process_comes_back(orch):
    p = running(orch, "p", *SLEEP)
    os.kill(min(orch.pids(p, "main")), signal.SIGKILL)
    back = wait_for(lambda: container_status(orch.pod("p")).get("restartCount") == 1 and
                    state(orch.pod("p"))[0] == "running" and orch.pod("p"), 5)
    last = container_status(back)["lastState"]["terminated"]
    assert last["exitCode"] == 137 and last["reason"] == "Error"


def test_program_that_is_missing(orch):
    orch.write("p.yaml", pod("p", container(orch.rootfs, "/bin/nothing")))
    p = wait_for(lambda: state(orch.pod("p") or {})[0] == "waiting" and
                 "message" in state(orch.pod("p"))[1] and orch.pod("p"), 10)
    assert "/bin/nothing" in state(p)[1]["message"]


# ---- probes ----

LISTEN = ("/bin/probe", "listen", "8080", "hello")
FAST = {"periodSeconds": 1, "failureThreshold": 1}


@pytest.mark.parametrize("kind,good,bad", [
    ("http", {"httpGet": {"port": 8080, "path": "/"}},
     {"httpGet": {"port": 8080, "path": "/fail"}}),
    ("tcp", {"tcpSocket": {"port": 8080}}, {"tcpSocket": {"port": 8081}}),
    ("exec", {"exec": {"command": ["/bin/probe", "exit", "0"]}},
     {"exec": {"command": ["/bin/probe", "exit", "1"]}}),
])
def test_readiness(orch, kind, good, bad):
    orch.write("p.yaml",
               pod("good", container(orch.rootfs, *LISTEN, readinessProbe={**good, **FAST})),
               pod("bad", container(orch.rootfs, *LISTEN, readinessProbe={**bad, **FAST})))
    wait_for(lambda: is_ready(orch.pod("good") or {"metadata": {}}), 10, "good is ready")
    never(lambda: is_ready(orch.pod("bad")), 1.5, "bad is ready")
    p = orch.pod("bad")
    assert state(p)[0] == "running" and container_status(p)["restartCount"] == 0
    assert not container_status(p)["ready"]


def test_readiness_comes_and_goes(orch):
    p = running(orch, "p", *SLEEP, readinessProbe={
        "exec": {"command": ["/bin/probe", "exists", "/tmp/ok"]}, **FAST})
    assert not is_ready(p)
    orch.exec("p", "/bin/probe", "write", "/tmp/ok", "1")
    wait_for(lambda: is_ready(orch.pod("p")), 5)
    os.unlink(f"/proc/{min(orch.pids(p, 'main'))}/root/tmp/ok")
    wait_for(lambda: not is_ready(orch.pod("p")), 5)


@pytest.mark.subset
def test_liveness_restarts(orch):
    p = running(orch, "p", *SLEEP, livenessProbe={
        "exec": {"command": ["/bin/probe", "exists", "/tmp/alive"]},
        "initialDelaySeconds": 1, "periodSeconds": 1, "failureThreshold": 2})
    first = min(orch.pids(p, "main"))
    wait_for(lambda: container_status(orch.pod("p")).get("restartCount", 0) >= 1, 15)
    assert start_time(first) is None


def test_startup_probe_holds_the_others_back(orch):
    p = running(orch, "p", *SLEEP,
                startupProbe={"exec": {"command": ["/bin/probe", "exists", "/tmp/up"]},
                              "periodSeconds": 1, "failureThreshold": 30},
                livenessProbe={"exec": {"command": ["/bin/probe", "exists", "/tmp/up"]},
                               "periodSeconds": 1, "failureThreshold": 1})
    never(lambda: container_status(orch.pod("p"))["restartCount"], 2.5, "liveness before startup")
    assert not is_ready(orch.pod("p"))
    orch.exec("p", "/bin/probe", "write", "/tmp/up", "1")
    wait_for(lambda: is_ready(orch.pod("p")), 5)
    os.unlink(f"/proc/{min(orch.pids(p, 'main'))}/root/tmp/up")
    wait_for(lambda: container_status(orch.pod("p"))["restartCount"] == 1, 10)


# ---- stopping ----

@pytest.mark.v2
@pytest.mark.subset
def test_graceful_stop(orch):
    p = running(orch, "p", "/bin/probe", "sleep", pod_more={"terminationGracePeriodSeconds": 20})
    text = []

    def log():
        got = orch.log_text(p, "main")
        if got:
            text.append(got)
        return not orch.pod("p")
    orch.remove("p.yaml")
    began = time.monotonic()
    orch.apply(allowDelete=-1)
    wait_for(log, 10, every=0.002)
    assert time.monotonic() - began < 5, "SIGTERM was enough"
    assert not orch.cgroups(p["metadata"]["uid"])


def test_stubborn_process_is_killed_after_its_grace(orch):
    p = running(orch, "p", "/bin/probe", "sleep", "--stubborn",
                pod_more={"terminationGracePeriodSeconds": 2})
    pid = min(orch.pids(p, "main"))
    orch.remove("p.yaml")
    began = time.monotonic()
    orch.apply(allowDelete=-1)
    wait_for(lambda: orch.pod("p") and orch.pod("p")["metadata"].get("deletionTimestamp"), 2)
    assert "Terminating" in orch.ctl("get", "pods").stdout
    wait_for(lambda: start_time(pid) is None, 10)
    took = time.monotonic() - began
    assert 1.8 < took < 5, took
    wait_for(lambda: not orch.pod("p"), 5)


# ---- logs and exec ----

@pytest.mark.subset
def test_logs(orch):
    p, text = run_to_end(orch, "log", "/bin/probe", "write-log", "100")
    lines = orch.container_log(p, "main")
    assert {t for _, t, _ in lines} == {"F"}
    for stream, rest in (("stdout", 0), ("stderr", 1)):
        assert [t for s, _, t in lines if s == stream] == \
            [f"line {i}" for i in range(rest, 100, 2)], stream
    assert sorted(orch.ctl("logs", "log").stdout.splitlines()) == \
        sorted(f"line {i}" for i in range(100))
    assert len(orch.ctl("logs", "log", "--tail", "5").stdout.splitlines()) == 5


def test_log_rotation_keeps_five_files(orch):
    p, _ = run_to_end(orch, "flood", "/bin/probe", "flood", str(70 << 20), "1000")
    m = p["metadata"]
    directory = f"{orch.logs}/default_flood_{m['uid']}/main"
    sizes = {f: os.path.getsize(f"{directory}/{f}") for f in os.listdir(directory)}
    assert len(sizes) == 5, sizes
    assert max(sizes.values()) < 11 << 20, sizes
    assert "0.log" in sizes


@pytest.mark.v2
def test_exec(orch):
    running(orch, "p", *SLEEP, env=[{"name": "A", "value": "b"}])
    r = orch.exec("p", "/bin/probe", "show")
    seen = facts(r.stdout)
    assert "A=b" in seen["env"] and seen["hostname"] == ["p"] and seen["pid"] != ["1"]
    assert seen["status.NoNewPrivs"] == ["1"] and seen["status.Seccomp"] == ["2"]
    assert orch.exec("p", "/bin/probe", "exit", "42", check=False).returncode == 42
    p = orch.pod("p")
    outer = f"/proc/{min(orch.pids(p, 'main'))}/ns/pid"
    assert seen["ns.pid"] == [os.readlink(outer)]
