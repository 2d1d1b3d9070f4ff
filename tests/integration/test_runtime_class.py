# SPDX-License-Identifier: GPL-2.0-or-later
"""Pods whose RuntimeClass has their containers made by crun."""

import json
import os
import shutil

import pytest

from harness import IS_V2, SLOW, configmap, container, container_status, pod, state, wait_for
from test_access import PROMPT, Terminal
from test_isolation import facts, runs

MEMORY_MAX = "memory.max" if IS_V2 else "memory.limit_in_bytes"
CRUN = shutil.which("crun")
needs_crun = pytest.mark.skipif(not CRUN, reason="crun is not installed")


def runtime_class(name="crun", handler="crun", **more):
    return {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": name},
            "handler": handler, **more}


@pytest.fixture
def handler(orch):
    """orchd knows crun, and the class of that name."""
    orch.configure(runtimeHandlers=[{"name": "crun", "path": CRUN}])
    orch.restart()
    orch.write("class.yaml", runtime_class())
    return {"runtimeClassName": "crun"}


def made_by_crun(orch, p, name="main"):
    """What crun has written down of the container; its pid is the one that runs."""
    attempt = container_status(p, name)["restartCount"]
    with open(f"{orch.run_dir}/pods/{p['metadata']['uid']}/oci/{name}/state/{name}-{attempt}/status") as f:
        return json.load(f)["pid"]


@needs_crun
@pytest.mark.v2
@pytest.mark.subset
def test_a_container_of_crun(orch, handler):
    null = os.stat("/dev/null")
    script = ("echo A=$A; echo dir=$(pwd); sed 's/:[ \\t]*/=/' /proc/self/status; echo bad >&2; "
              "echo pid=$$$$; ls /sys/fs/cgroup >/dev/null && echo cgroup=seen; "
              "mknod /tmp/n c 1 3 2>/dev/null || echo mknod=refused; "
              "unshare -U true 2>/dev/null || echo unshare=refused; exit 7")
    p, text = orch.run_to_end("p", container(
        "/", "/bin/sh", "-c", script, env=[{"name": "A", "value": "b c"}], workingDir="/tmp/new/dir",
        securityContext={"runAsUser": 1000, "runAsGroup": 1001, "capabilities": {"drop": ["CHOWN"]}}),
        (), securityContext={"supplementalGroups": [7]}, **handler)
    seen = facts(text)
    assert (seen["A"], seen["dir"], seen["pid"]) == ("b c", "/tmp/new/dir", "1")
    assert seen["Uid"].split() == ["1000"] * 4 and seen["Gid"].split() == ["1001"] * 4
    assert seen["Groups"].split() == ["7", "1001"]
    assert (seen["Seccomp"], seen["NoNewPrivs"], seen["Umask"]) == ("2", "1", "0022")
    assert int(seen["CapBnd"], 16) & 3 == 2 and int(seen["CapPrm"], 16) == 0
    assert seen["mknod"] == seen["unshare"] == "refused" and seen["cgroup"] == "seen"
    ended = state(p)[1]
    assert (ended["exitCode"], ended["reason"]) == (7, "Error")
    assert ["stderr", "F", "bad"] in [list(line) for line in orch.container_log(p, "main")]
    now = os.stat("/dev/null")	# not the user's, though it may have been his standard input
    assert (now.st_uid, now.st_gid, now.st_mode) == (null.st_uid, null.st_gid, null.st_mode)


@needs_crun
@pytest.mark.v2
def test_its_life(orch, handler):
    """Hooks, probes, exec, the end by a signal, the next run, and an orchd that is killed."""
    script = ("trap 'echo asked; exit 5' TERM; echo began; "
              "while [ ! -e /tmp/end ]; do sleep 0.05; done; exit 3")
    orch.write("p.yaml", pod("p", container(
        "/", "/bin/sh", "-c", script,
        lifecycle={"postStart": {"exec": {"command": ["/bin/touch", "/tmp/hooked"]}}},
        readinessProbe={"exec": {"command": ["/usr/bin/test", "-e", "/tmp/ready"]},
                        "periodSeconds": 1}), restartPolicy="Always", **handler))
    p = orch.wait_running("p")
    pid = made_by_crun(orch, p)
    assert pid in orch.pids(p, "main") and not container_status(p)["ready"]
    assert orch.exec("p", "/bin/ls", "/tmp/hooked").returncode == 0
    assert orch.exec("p", "/bin/sh", "-c", "exit 9", check=False).returncode == 9
    orch.exec("p", "/bin/touch", "/tmp/ready")
    wait_for(lambda: container_status(orch.pod("p"))["ready"], 15, "it is ready")
    orch.kill9()
    orch.remove("class.yaml")
    orch.start()
    orch.wait_settled()
    assert os.path.exists(f"/proc/{pid}") and orch.plan()["empty"]
    orch.exec("p", "/bin/touch", "/tmp/end", check=False)	# may be killed with the container
    p = wait_for(lambda: container_status(orch.pod("p"))["restartCount"] == 1 and
                 state(orch.pod("p"))[0] == "running" and orch.pod("p"), 30, "it runs again")
    assert container_status(p)["lastState"]["terminated"]["exitCode"] == 3
    assert made_by_crun(orch, p) != pid


@needs_crun
@pytest.mark.v2
def test_its_end_by_a_signal(orch, handler):
    """Asked to end, and killed when it does not."""
    ends = {"asks": ("echo asked; exit 5", 5), "kills": ("", 137)}
    for name, (trap, _) in ends.items():
        orch.write(f"{name}.yaml", pod(name, container(
            "/", "/bin/sh", "-c", f"trap '{trap}' TERM; while :; do sleep 0.05; done"),
            restartPolicy="Never", activeDeadlineSeconds=int(3 * SLOW), **handler))
    for name, (_, code) in ends.items():
        orch.wait_over(name)
        p = orch.wait(lambda n=name: state(orch.pod(n))[0] == "terminated" and orch.pod(n), 15)
        assert state(p)[1]["exitCode"] == code
        assert ("asked" in orch.log_text(p, "main")) == (code == 5)


@needs_crun
@pytest.mark.v2
def test_namespaces_of_its_pod(orch, handler):
    def spaces(name, container_name):
        text = wait_for(lambda: len(orch.log_text(orch.pod(name), container_name).splitlines()) >= 6 and
                        orch.log_text(orch.pod(name), container_name), 15)
        return facts(text)
    script = ("for n in net ipc uts pid mnt; do echo $n=$(readlink /proc/self/ns/$n); done; "
              "echo init=$(cat /proc/1/comm); exec sleep 1000")
    two = [container("/", "/bin/sh", "-c", script, name=n) for n in ("a", "b")]
    runs(orch, "own", *two, **handler)
    runs(orch, "shared", *two, shareProcessNamespace=True, **handler)
    a, b = spaces("own", "a"), spaces("own", "b")
    assert all(a[n] == b[n] for n in ("net", "ipc", "uts")) and a["pid"] != b["pid"]
    assert a["mnt"] != b["mnt"] and a["init"] == "sh"
    c, d = spaces("shared", "a"), spaces("shared", "b")
    assert c["pid"] == d["pid"] and c["init"] == d["init"] == "orch-shim"
    assert all(a[n] != c[n] for n in ("net", "ipc", "uts", "pid"))


@needs_crun
@pytest.mark.v2
def test_limits_and_volumes(orch, handler):
    script = ("cat /c/k; echo; (echo x > /c/k) 2>/dev/null || echo read-only; echo kept > /e/f; cat /s; "
              "grep ' /c ' /proc/self/mountinfo; tail /dev/zero")
    orch.write("cm.yaml", configmap("cm", k="v"))
    p, text = orch.run_to_end("p", container(
        "/", "/bin/sh", "-c", script + "; exit 137", resources={"limits": {"memory": "32Mi"}},
        volumeMounts=[{"name": "c", "mountPath": "/c"}, {"name": "e", "mountPath": "/e"},
                      {"name": "c", "mountPath": "/s", "subPath": "k"}]), (),
        volumes=[{"name": "c", "configMap": {"name": "cm"}}, {"name": "e", "emptyDir": {}}], **handler)
    assert text.splitlines()[0] == "v" and "read-only" in text
    assert "nodev" in text and state(p)[1]["reason"] == "OOMKilled"
    with open(f"{orch.state}/pods/{p['metadata']['uid']}/volumes/e/f") as f:
        assert f.read() == "kept\n"


@needs_crun
@pytest.mark.v2
def test_devices_of_its_root_are_none(orch, handler):
    """As without crun: who may make a device node, and images that hold one, get no device."""
    script = ("mknod /tmp/n c 1 5 && echo made=yes; head -c 1 /tmp/n >/dev/null && echo opened=yes; "
              "echo x > /file && echo written=yes; pwd; grep ' / / ' /proc/self/mountinfo")
    _, text = orch.run_to_end("p", container("/", "/bin/sh", "-c", script), (), **handler)
    assert "made=yes" in text and "opened" not in text and "written=yes" in text
    _, text = orch.run_to_end("ro", container(
        "/", "/bin/sh", "-c", script, workingDir="/tmp/new",
        securityContext={"readOnlyRootFilesystem": True}), (), **handler)
    assert "made" not in text and "written" not in text and "/tmp/new" in text
    assert "ro,nodev" in text


@needs_crun
@pytest.mark.v2
def test_a_terminal(orch, handler):
    p = runs(orch, "p", container("/", "/bin/sh", tty=True, stdin=True, env=[PROMPT]), **handler)
    with Terminal(orch, "attach", "-it", "p", rows=33, cols=111) as t:
        t.type("\n")
        t.expect("ready> ")
        t.type("stty size; tty\n")
        assert "33 111" in t.expect("/dev/")
        t.expect("ready> ")
        t.type("sleep 1000\n")
        wait_for(lambda: len(orch.pids(p, "main")) == 2)
        t.type("\x03")		# ctrl-c: it is the controlling terminal
        t.expect("ready> ")
        t.type("\x10\x11")
        assert t.wait() == 0
    with Terminal(orch, "exec", "-it", "p", "--", "/bin/sh", "-c", "tty && exit 4") as t:
        t.expect("/dev/pts/")
        assert t.wait() == 4


@needs_crun
@pytest.mark.v2
def test_what_cannot_be_made_is_told(orch, handler):
    orch.write("a.yaml", pod("a", container("/", "/bin/nothing"), **handler))
    orch.write("b.yaml", pod("b", container("/", "/bin/sleep", "1000"), runtimeClassName="later"))
    orch.write("c.yaml", runtime_class("kata", "kata"),
               pod("c", container("/", "/bin/true"), runtimeClassName="kata"))
    orch.write("d.yaml", pod("d", container("/", "/bin/true"), hostUsers=False, **handler))
    said = {"b": 'runtimeclass.node.k8s.io "later" not found',
            "c": 'RuntimeHandler "kata" not supported', "d": "does not support user namespaces"}

    def status(name):
        return (orch.pod(name) or {}).get("status", {})
    for name, words in said.items():
        wait_for(lambda n=name, w=words: w in status(n).get("message", ""), 20, words)
        assert (status(name)["phase"], status(name)["reason"]) == ("Pending", "FailedCreatePodSandBox")
    wait_for(lambda: "OCI runtime create failed: crun: executable file" in
             json.dumps(container_status(orch.pod("a") or {})), 20)
    orch.write("later.yaml", runtime_class("later"))
    wait_for(lambda: state(orch.pod("b") or {})[0] == "running", 60, "it runs")


@needs_crun
def test_what_a_class_asks_for(orch, handler):
    orch.write("class.yaml", runtime_class(
        overhead={"podFixed": {"memory": "64Mi", "cpu": "10m"}},
        scheduling={"nodeSelector": {"kubernetes.io/os": "linux"},
                    "tolerations": [{"key": "crun", "operator": "Exists"}]}),
        runtime_class("elsewhere", scheduling={"nodeSelector": {"kubernetes.io/os": "plan9"}}))
    limits = {"limits": {"memory": "32Mi"}}
    p = runs(orch, "p", container("/", "/bin/sleep", "1000", resources=limits), **handler)
    plain = runs(orch, "q", container("/", "/bin/sleep", "1000", resources=limits))
    assert p["spec"]["overhead"] == {"memory": "64Mi", "cpu": "10m"}
    assert p["spec"]["nodeSelector"] == {"kubernetes.io/os": "linux"}
    assert {"key": "crun", "operator": "Exists"} in p["spec"]["tolerations"]
    bytes_of = [int(orch.cgroup_file(x, "", "memory", MEMORY_MAX)) for x in (p, plain)]
    assert bytes_of[0] - bytes_of[1] == 64 << 20
    orch.write("r.yaml", pod("r", container("/", "/bin/sleep", "1000"), runtimeClassName="elsewhere"))
    wait_for(lambda: "node selector" in json.dumps((orch.pod("r") or {}).get("status", {})) or
             "node affinity" in json.dumps((orch.pod("r") or {}).get("status", {})), 15)
    orch.write("s.yaml", pod("s", container("/", "/bin/sleep", "1000"), overhead={"cpu": "1"}))
    wait_for(lambda: "Overhead set without" in orch.ctl("get", "events").stdout, 15)
