# SPDX-License-Identifier: GPL-2.0-or-later
"""Fields of pods whose effect no other file looks at: each is seen from inside the container, or asked
of the kernel."""

import os
import subprocess

import pytest

import oci_layers as oci
from harness import (BUILD, IS_V2, Orch, configmap, container, container_status, is_ready, pod, state,
                     wait_for)


def proc(pid, name):
    with open(f"/proc/{pid}/{name}") as f:
        return f.read()


def resources(limits=None, **requests):
    return {**({"requests": requests} if requests else {}), **({"limits": limits} if limits else {})}


# ---- resources ----

@pytest.mark.v2
@pytest.mark.flags("--pod-pids-limit", "20")
def test_pids_of_a_pod(orch):
    """The limit is the pod's: what one container uses, the other one lacks."""
    orch.write("p.yaml", pod("p", container(orch.rootfs, "/bin/probe", "fork", "100")))
    p = wait_for(lambda: orch.pod("p") and orch.container_log(orch.pod("p"), "main") and orch.pod("p"))
    said = orch.log_text(p, "main")
    assert "fork=EAGAIN" in said
    forked = int(said.split("forked=")[1].split()[0])
    assert forked < 20
    root, = orch.cgroups(p["metadata"]["uid"], controller="pids")
    with open(f"{root}/pids.max") as f:
        assert f.read() == "20\n"


@pytest.mark.v2
def test_oom_scores(orch):
    with open("/proc/meminfo") as f:
        total = int(f.readline().split()[1]) * 1024
    request = total // 3
    orch.write("p.yaml",
               pod("best", container(orch.rootfs, "/bin/probe", "sleep")),
               pod("burst", container(orch.rootfs, "/bin/probe", "sleep",
                                      resources=resources(memory=str(request)))),
               pod("cpu", container(orch.rootfs, "/bin/probe", "sleep",
                                    resources=resources(cpu="10m"))))
    want = {"best": (1000, "BestEffort"), "burst": (1000 - 1000 * request // total, "Burstable"),
            "cpu": (999, "Burstable")}
    for name, (score, qos) in want.items():
        p = orch.wait_running(name)
        assert int(proc(min(orch.pids(p, "main")), "oom_score_adj")) == score, name
        assert p["status"]["qosClass"] == qos


@pytest.mark.v2
@pytest.mark.skipif(not IS_V2, reason="memory.min and memory.high are of cgroup v2")
def test_memory_qos(orch):
    orch.configure(memoryQoS=True, memoryThrottlingFactor=0.5)
    orch.restart()
    orch.write("p.yaml", pod("p", container(orch.rootfs, "/bin/probe", "sleep",
                                            resources=resources({"memory": "64Mi"},
                                                                memory="32Mi"))))
    p = orch.wait_running("p")
    pod_dir, = orch.cgroups(p["metadata"]["uid"])
    for d, name, value in ((f"{pod_dir}/main", "memory.min", 32 << 20),
                           (pod_dir, "memory.min", 32 << 20),
                           (os.path.dirname(pod_dir), "memory.min", 32 << 20),
                           (f"{pod_dir}/main", "memory.max", 64 << 20)):
        with open(f"{d}/{name}") as f:
            assert int(f.read()) == value, (d, name)
    with open(f"{pod_dir}/main/memory.high") as f:
        high = int(f.read())
    assert 47 << 20 <= high <= 48 << 20 and high % 4096 == 0


@pytest.mark.v2
@pytest.mark.skipif(not os.path.isdir("/sys/kernel/mm/hugepages/hugepages-2048kB"),
                    reason="this kernel has no huge pages")
def test_huge_page_volume(orch):
    orch.write("p.yaml", pod("p", container(
        orch.rootfs, "/bin/probe", "show", volumeMounts=[{"name": "h", "mountPath": "/h"}]),
        restartPolicy="Never", volumes=[{"name": "h", "emptyDir": {"medium": "HugePages-2Mi"}}]))
    p = wait_for(lambda: (p := orch.pod("p")) and state(p)[0] == "terminated" and p)
    mounts = [x for x in orch.log_text(p, "main").splitlines()
              if x.startswith("mount=") and x.split()[4] == "/h"]
    assert len(mounts) == 1 and " - hugetlbfs " in mounts[0] and "pagesize=2M" in mounts[0]


def reserve(n):
    path = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
    with open(path, "w") as f:
        f.write(str(n))
    with open(path) as f:
        return int(f.read())


@pytest.mark.v2
@pytest.mark.skipif(not IS_V2 or not os.path.isdir("/sys/kernel/mm/hugepages/hugepages-2048kB"),
                    reason="sets huge pages aside: only in a machine of its own")
def test_huge_page_limits(rootfs):
    if reserve(4) < 4:
        pytest.skip("no huge pages can be had")
    orch = Orch(rootfs)
    try:
        orch.start()
        orch.write("p.yaml",
                   pod("two", container(orch.rootfs, "/bin/probe", "sleep", resources=resources(
                       {"memory": "64Mi", "hugepages-2Mi": "4Mi"}))),
                   pod("none", container(orch.rootfs, "/bin/probe", "sleep")))
        for name, limit in (("two", 4 << 20), ("none", 0)):
            p = orch.wait_running(name)
            d, = orch.cgroups(p["metadata"]["uid"])
            if not os.path.exists(f"{d}/hugetlb.2MB.max"):
                pytest.skip("this kernel does not limit huge pages")
            for group in (d, f"{d}/main"):
                with open(f"{group}/hugetlb.2MB.max") as f:
                    assert int(f.read()) == limit, (name, group)
    finally:
        orch.close()
        reserve(0)


# ---- probes and hooks ----

def words(orch, p, path):
    """Lines of a file in the container's root."""
    try:
        with open(f"/proc/{min(orch.pids(p, 'main'))}/root{path}") as f:
            return f.read().split()
    except (OSError, ValueError):
        return []


def exec_probe(text, **more):
    return {"readinessProbe": {"exec": {"command": ["/bin/sh", "-c", text]}, "periodSeconds": 1,
                               **more}}


@pytest.mark.v2
def test_probe_timeout(orch):
    """The same program passes with the time that it needs, and never without."""
    slow = "echo asked >>/var/tmp/asked; sleep 3; echo done >>/var/tmp/asked"
    orch.write("p.yaml",
               pod("short", container("/", "/bin/sleep", "1000", **exec_probe(slow, timeoutSeconds=1))),
               pod("long", container("/", "/bin/sleep", "1000", **exec_probe(slow, timeoutSeconds=60))))
    wait_for(lambda: orch.pod("long") and is_ready(orch.pod("long")), 30)
    p = orch.wait_running("short")
    wait_for(lambda: words(orch, p, "/var/tmp/asked").count("asked") >= 3, 30)
    assert "done" not in words(orch, p, "/var/tmp/asked")
    assert not is_ready(orch.pod("short"))


@pytest.mark.v2
def test_success_threshold(orch):
    orch.write("p.yaml", pod("p", container("/", "/bin/sleep", "1000", **exec_probe(
        "echo asked >>/var/tmp/asked", successThreshold=3, timeoutSeconds=60))))
    p = orch.wait_running("p")
    wait_for(lambda: words(orch, p, "/var/tmp/asked"))
    wait_for(lambda: is_ready(orch.pod("p")), 20)
    assert len(words(orch, p, "/var/tmp/asked")) >= 3


@pytest.mark.v2
def test_failure_threshold(orch):
    orch.write("p.yaml", pod("p", container("/", "/bin/sleep", "1000", **exec_probe(
        "[ -e /var/tmp/broken ] || exit 0; echo failed >>/var/tmp/asked; exit 1", failureThreshold=3,
        timeoutSeconds=60))))
    p, = orch.wait_ready(1)
    orch.exec("p", "/bin/touch", "/var/tmp/broken")
    wait_for(lambda: not is_ready(orch.pod("p")), 20)
    assert len(words(orch, p, "/var/tmp/asked")) >= 3


def test_probe_times(orch):
    """Against what asks every second from the start: all three begin together."""
    ask = "echo asked >>/v/{}"
    mounts = [{"name": "v", "mountPath": "/v"}]

    def asked(name, **times):
        return container("/", "/bin/sleep", "1000", name=name, volumeMounts=mounts,
                         **exec_probe(ask.format(name), timeoutSeconds=60, **times))
    orch.write("p.yaml", pod(
        "p", asked("often"), asked("seldom", periodSeconds=6),
        asked("late", initialDelaySeconds=12),
        volumes=[{"name": "v", "hostPath": {"path": orch.dir}}]))

    def times(name):
        try:
            with open(f"{orch.dir}/{name}") as f:
                return len(f.read().split())
        except FileNotFoundError:
            return 0
    wait_for(lambda: times("late"), 60, "the late one is asked")
    assert times("often") >= 3
    wait_for(lambda: times("often") >= 12, 60)
    assert 1 <= times("seldom") <= times("often") // 2


@pytest.mark.v2
def test_grace_of_a_probe(orch):
    """Its own, where the pod's is longer than anybody would wait."""
    orch.write("p.yaml", pod("p", container(
        orch.rootfs, "/bin/probe", "sleep", "--stubborn", livenessProbe={
            "exec": {"command": ["/bin/probe", "exit", "1"]}, "periodSeconds": 1,
            "failureThreshold": 1, "terminationGracePeriodSeconds": 1}),
        terminationGracePeriodSeconds=3600))
    wait_for(lambda: (orch.pod("p") or {}).get("status") and
             container_status(orch.pod("p")).get("restartCount"), 40, "it is started again")
    assert container_status(orch.pod("p"))["lastState"]["terminated"]["exitCode"] == 137
    orch.write("p.yaml", pod("p", container(orch.rootfs, "/bin/probe", "sleep")))


# ---- what a pod is made for, and who it runs as ----

def test_a_pod_for_windows(orch):
    orch.write("p.yaml", pod("p", container(orch.rootfs, "/bin/probe", "sleep"),
                             os={"name": "windows"}))
    r = orch.ctl("validate", "-f", orch.path("p.yaml"), check=False)
    assert "spec.os.name: a pod for windows cannot run here" in r.stdout + r.stderr
    orch.edit("p.yaml", "windows", "linux")
    assert "windows" not in orch.ctl("validate", "-f", orch.path("p.yaml")).stderr


def test_run_as_non_root_of_the_pod(orch):
    orch.write("p.yaml", pod("root", container(orch.rootfs, "/bin/probe", "sleep"),
                             securityContext={"runAsNonRoot": True}),
               pod("user", container(orch.rootfs, "/bin/probe", "sleep"),
                   securityContext={"runAsNonRoot": True, "runAsUser": 1000}))
    p = orch.wait_running("user")
    assert proc(min(orch.pids(p, "main")), "status").split("Uid:")[1].split()[0] == "1000"
    wait_for(lambda: "runAsNonRoot" in state(orch.pod("root") or {})[1].get("message", ""))
    assert not orch.pids(orch.pod("root"), "main")


# ---- files of ConfigMaps and Secrets, claims for reading, ports ----

@pytest.mark.v2
def test_items_and_what_may_be_missing(orch):
    items = [{"key": "a", "path": "sub/first", "mode": 0o400}]
    volumes = {"c": {"configMap": {"name": "cfg", "items": items, "defaultMode": 0o640}},
               "all": {"configMap": {"name": "cfg", "defaultMode": 0o640}},
               "s": {"secret": {"secretName": "sec", "items": items}},
               "noc": {"configMap": {"name": "none", "optional": True}},
               "nos": {"secret": {"secretName": "none", "optional": True}},
               "both": {"projected": {"sources": [
                   {"configMap": {"name": "cfg", "items": [{"key": "b", "path": "second"}]}},
                   {"secret": {"name": "none", "optional": True}}]}}}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "sec"},
              "stringData": {"a": "hidden", "b": "x"}}
    text = orch.script(
        "p", "cd /v; for f in */* */*/*; do "
        "[ -f $f ] && echo $f $(stat -L -c %a $f) $(cat $f); done",
        objects=[configmap("cfg", a="one", b="two"), secret],
        volumeMounts=[{"name": n, "mountPath": f"/v/{n}"} for n in volumes],
        spec={"volumes": [{"name": n, **v} for n, v in volumes.items()]})
    assert sorted(text.splitlines()) == [
        "all/a 640 one", "all/b 640 two", "both/second 644 two", "c/sub/first 400 one",
        "s/sub/first 400 hidden"]


@pytest.mark.v2
def test_a_claim_for_reading(orch):
    orch.write("c.yaml", {
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}})

    def writes(name, **how):
        return orch.script(name, f"touch /d/{name} && echo written",
                           volumeMounts=[{"name": "d", "mountPath": "/d"}], spec={"volumes": [
                               {"name": "d", "persistentVolumeClaim": {"claimName": "data", **how}}]})
    assert writes("first") == "written"
    assert "Read-only file system" in writes("second", readOnly=True)


def test_ports_of_a_protocol(orch):
    """A Service finds a port by its name, where the protocol is its own, too."""
    ports = [{"name": "talk", "containerPort": 5300, "protocol": "UDP"},
             {"name": "web", "containerPort": 8080}]
    orch.write("p.yaml", pod("p", container(orch.rootfs, "/bin/probe", "sleep", ports=ports),
                             labels={"app": "p"}), *[
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {
            "selector": {"app": "p"}, "ports": [{"port": 53, "protocol": protocol,
                                                 "targetPort": "talk"}]}}
        for name, protocol in (("same", "UDP"), ("other", "TCP"))])
    orch.wait_ready(1)

    def ports_of(name):
        subsets = (orch.get("endpoints", name) or {}).get("subsets", [])
        return [(p["port"], p["protocol"]) for s in subsets for p in s.get("ports", [])]
    wait_for(lambda: ports_of("same") == [(5300, "UDP")], 10, "the port is found")
    orch.wait_settled()
    assert not orch.get("endpoints", "other").get("subsets")


# ---- taints of a node that is short of something ----

@pytest.mark.v2
@pytest.mark.flags("--eviction-soft", "pid.available<99.999%",
                   "--eviction-soft-grace-period", "pid.available=100h")
def test_toleration_of_pressure(orch):
    orch.write("p.yaml", pod("away", container(orch.rootfs, "/bin/probe", "sleep")),
               pod("bears", container(orch.rootfs, "/bin/probe", "sleep"), tolerations=[
                   {"key": "node.kubernetes.io/pid-pressure", "operator": "Exists"}]))
    orch.wait_running("bears")
    p = wait_for(lambda: orch.pod("away"))
    assert not orch.pids(p, "main")
    scheduled, = [c for c in p["status"]["conditions"] if c["type"] == "PodScheduled"]
    assert scheduled["status"] == "False"
    assert "untolerated taint {node.kubernetes.io/pid-pressure: }" in scheduled["message"]


# ---- groups ----

def image_of_a_user(orch):
    """A name of an image whose user is in two groups of its own."""
    layer = oci.Layer()
    for name in ("bin", "etc"):
        layer.dir(name)
    with open(f"{BUILD}/orch-probe", "rb") as f:
        layer.add("bin/probe", data=f.read(), mode=0o755)
    layer.add("etc/passwd", data=b"app:x:1000:1000::/:/bin/probe\n")
    layer.add("etc/group", data=b"app:x:1000:\nextra:x:5000:app\nmore:x:5001:app,web\n")
    layout = oci.Layout(os.path.join(orch.dir, "oci"))
    layout.image("app", [layer.done()], {"User": "app", "Entrypoint": ["/bin/probe"]})
    archive = os.path.join(orch.dir, "app.tar")
    subprocess.run(["tar", "-C", layout.path, "-cf", archive, "."], check=True)
    orch.ctl("image", "import", archive, "test.example/app:1")
    return "test.example/app:1"


def test_supplemental_groups_policy(orch):
    """Merge, the default: the groups that the image gives its user count, too."""
    image = image_of_a_user(orch)
    for name, policy in (("merge", {}), ("strict", {"supplementalGroupsPolicy": "Strict"})):
        orch.write(f"{name}.yaml", pod(name, {
            "name": "main", "image": image, "imagePullPolicy": "Never", "args": ["show"]},
            restartPolicy="Never", securityContext={"supplementalGroups": [3000], **policy}))
    for name, want in (("merge", {1000, 3000, 5000, 5001}), ("strict", {1000, 3000})):
        p = wait_for(lambda: (p := orch.pod(name)) and state(p)[0] == "terminated" and p)
        groups, = [x.split("=")[1] for x in orch.log_text(p, "main").splitlines()
                   if x.startswith("status.Groups=")]
        assert {int(g) for g in groups.split()} == want, name
