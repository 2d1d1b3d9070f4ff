# SPDX-License-Identifier: GPL-2.0-or-later
"""Requests and limits of a pod's own manifest change while its containers run: what the control
groups say, whose processes go on, and what status, events and plan tell of it."""

import json
import os

import pytest

from harness import IS_V2, container, container_status, pod, state, wait_for

SLEEP = ("/bin/probe", "sleep")
MI = 1 << 20
MEMORY = "memory.max" if IS_V2 else "memory.limit_in_bytes"
RESTARTS = [{"resourceName": "memory", "restartPolicy": "RestartContainer"}]


def resources(cpu=None, memory=None, **limits):
    """Requests; limits where they are said, as limit_cpu and limit_memory."""
    r = {k: v for k, v in (("cpu", cpu), ("memory", memory)) if v}
    l = {k.removeprefix("limit_"): v for k, v in limits.items()}
    return {**({"requests": r} if r else {}), **({"limits": l} if l else {})}


def limit(orch, p, name):
    text = orch.cgroup_file(p, name, "memory", MEMORY).strip()
    return 0 if text == "max" or int(text) > 1 << 60 else int(text)


def quota(orch, p, name):
    """Microseconds in 100 ms; None: no limit."""
    if IS_V2:
        text = orch.cgroup_file(p, name, "cpu", "cpu.max").split()[0]
    else:
        text = orch.cgroup_file(p, name, "cpu", "cpu.cfs_quota_us").strip()
    return None if text in ("max", "-1") else int(text)


def weight(orch, p, name):
    """As cpu.shares has it, or as it becomes a weight."""
    return int(orch.cgroup_file(p, name, "cpu", "cpu.weight" if IS_V2 else "cpu.shares"))


def shares(milli):
    n = milli * 1024 // 1000
    return 1 + (n - 2) * 9999 // 262142 if IS_V2 else n


def condition(p, kind):
    return next((c for c in p["status"].get("conditions", []) if c["type"] == kind), None)


def events(orch, name, reason):
    return [e for e in orch.get("events") if e["involvedObject"]["name"] == name
            and e["reason"] == reason]


def run(orch, name, *containers, **spec):
    orch.write(f"{name}.yaml", pod(name, *containers, **spec))
    n = len(containers)
    return wait_for(lambda: (p := orch.pod(name)) and
                    sum(state(p, c["name"])[0] == "running" for c in containers) == n and p,
                    15, f"{name} runs")


def resized(text, then, name="main"):
    """The manifest with other resources for a container."""
    o = json.loads(text)
    for c in o["spec"].get("initContainers", []) + o["spec"]["containers"]:
        if c["name"] == name:
            c["resources"] = then
    return o


def resize(orch, name, then, c="main"):
    orch.write(f"{name}.yaml", resized(orch.read(f"{name}.yaml"), then, c))


def shown(p, name="main"):
    return container_status(p, name).get("resources")


def wait_resized(orch, name, want, c="main"):
    """Until the status says so, and nothing is under way."""
    def done():
        p = orch.pod(name)
        return p and shown(p, c) == want and not condition(p, "PodResizePending") \
            and not condition(p, "PodResizeInProgress") and p
    return orch.wait(done, 15, f"{name} has {want}")


def wait_condition(orch, name, kind, reason):
    def is_told():
        p = orch.pod(name)
        return p and (condition(p, kind) or {}).get("reason") == reason and p
    return orch.wait(is_told, 15, f"{name}: {kind} {reason}")


@pytest.mark.v2
@pytest.mark.subset
def test_cpu_and_memory_change_while_it_runs(orch):
    more = resources("200m", "32Mi", limit_cpu="400m", limit_memory="64Mi")
    then = resources("300m", "48Mi", limit_cpu="600m", limit_memory="128Mi")
    labels = {"name": "labels", "downwardAPI": {"items": [
        {"path": "limit", "resourceFieldRef": {"containerName": "main",
                                               "resource": "limits.memory"}}]}}
    p = run(orch, "grows",
            container(orch.rootfs, *SLEEP, resources=more,
                      env=[{"name": "LIMIT", "valueFrom": {
                          "resourceFieldRef": {"resource": "limits.memory"}}}],
                      volumeMounts=[{"name": "labels", "mountPath": "/run"}]),
            container(orch.rootfs, *SLEEP, name="side", resources=resources(limit_memory="32Mi")),
            volumes=[labels])
    assert shown(p) == more and container_status(p)["allocatedResources"] == more["requests"]
    before, uid = orch.all_pids(), p["metadata"]["uid"]
    assert (limit(orch, p, "main"), quota(orch, p, "main")) == (64 * MI, 40000)
    assert limit(orch, p, "") == (8 + 64 + 32) * MI

    resize(orch, "grows", then)
    p = wait_resized(orch, "grows", then)
    assert (limit(orch, p, "main"), quota(orch, p, "main")) == (128 * MI, 60000)
    assert weight(orch, p, "main") == shares(300)
    assert weight(orch, p, "") == shares(400)		# and the supervisor's
    assert limit(orch, p, "") == (8 + 128 + 32) * MI
    assert limit(orch, p, "side") == 32 * MI
    assert orch.all_pids() == before and p["metadata"]["uid"] == uid
    assert container_status(p)["restartCount"] == 0
    assert p["metadata"]["generation"] == p["status"]["observedGeneration"] == 2
    assert container_status(p)["allocatedResources"] == then["requests"]

    wait_for(lambda: str(128 * MI) in orch.exec("grows", "/bin/probe", "read", "/run/limit").stdout,
             5, "the volume says so")
    assert f"LIMIT={64 * MI}" in orch.exec("grows", "/bin/probe", "show").stdout
    started, = events(orch, "grows", "ResizeStarted")
    assert started["type"] == "Normal" and started["message"].startswith("Pod resize started: {")
    assert json.loads(started["message"].split(": ", 1)[1])["generation"] == 2
    assert len(events(orch, "grows", "ResizeCompleted")) == 1

    orch.restart()
    p = wait_resized(orch, "grows", then)
    assert orch.all_pids() == before and orch.plan()["empty"]


@pytest.mark.v2
def test_a_container_restarts_where_its_policy_says_so(orch):
    p = run(orch, "picky", container(orch.rootfs, *SLEEP, resizePolicy=RESTARTS,
                                     resources=resources("100m", "32Mi", limit_memory="64Mi")),
            container(orch.rootfs, *SLEEP, name="side"))
    main, side = orch.pids(p, "main"), orch.pids(p, "side")
    then = resources("200m", "32Mi", limit_memory="64Mi")
    resize(orch, "picky", then)		# cpu alone: NotRequired
    p = wait_resized(orch, "picky", then)
    assert orch.pids(p, "main") == main and container_status(p)["restartCount"] == 0
    assert weight(orch, p, "main") == shares(200)

    then = resources("200m", "16Mi", limit_memory="32Mi")
    resize(orch, "picky", then)
    p = wait_resized(orch, "picky", then)
    p = wait_for(lambda: (q := orch.pod("picky")) and state(q)[0] == "running" and
                 container_status(q)["restartCount"] == 1 and q, 10, "it runs again")
    assert limit(orch, p, "main") == 32 * MI
    assert orch.pids(p, "main") and not orch.pids(p, "main") & main
    assert orch.pids(p, "side") == side and container_status(p, "side")["restartCount"] == 0
    said = [e["message"] for e in events(orch, "picky", "Killing")]
    assert said == ["Container main resize requires restart"]
    assert not events(orch, "picky", "BackOff")


@pytest.mark.v2
def test_memory_in_use_is_not_taken_away(orch):
    """The limit waits until the memory is free; what else was asked for does not."""
    more, then = resources("100m", "16Mi", limit_memory="128Mi"), \
        resources("200m", "16Mi", limit_memory="32Mi")
    p = run(orch, "full", container("/", "/bin/sh", "-c",
                                    "head -c 64M /dev/zero >/m/x; echo full; exec sleep 1000",
                                    resources=more,
                                    volumeMounts=[{"name": "m", "mountPath": "/m"}]),
            volumes=[{"name": "m", "emptyDir": {"medium": "Memory"}}])
    wait_for(lambda: "full" in orch.log_text(p, "main"), 15, "memory is in use")
    before = orch.all_pids()
    resize(orch, "full", then)
    p = wait_condition(orch, "full", "PodResizeInProgress", "Error")
    told = condition(p, "PodResizeInProgress")
    assert told["message"].startswith(
        f'attempting to set container "main" memory limit ({32 * MI}) below current usage (')
    assert told["observedGeneration"] == 2
    assert limit(orch, p, "main") == 128 * MI and weight(orch, p, "main") == shares(200)
    assert shown(p)["limits"]["memory"] == "128Mi" and shown(p)["requests"]["cpu"] == "200m"
    assert len(events(orch, "full", "ResizeError")) == 1

    assert "resize in progress: attempting to set" in orch.ctl("plan").stdout

    orch.restart()		# does not dare either
    p = wait_condition(orch, "full", "PodResizeInProgress", "Error")
    assert limit(orch, p, "main") == 128 * MI and orch.all_pids() == before

    orch.exec("full", "rm", "/m/x")
    p = wait_resized(orch, "full", then)
    assert limit(orch, p, "main") == 32 * MI and limit(orch, p, "") == 40 * MI
    assert orch.all_pids() == before and container_status(p)["restartCount"] == 0


@pytest.mark.v2
@pytest.mark.skipif(not IS_V2, reason="memory.min and memory.high are of cgroup v2")
def test_memory_qos_follows(orch):
    orch.configure(memoryQoS=True, memoryThrottlingFactor=0.5)
    orch.restart()
    p = run(orch, "p", container(orch.rootfs, *SLEEP,
                                 resources=resources(memory="32Mi", limit_memory="64Mi")))
    then = resources(memory="64Mi", limit_memory="128Mi")
    resize(orch, "p", then)
    wait_resized(orch, "p", then)
    top, = {os.path.dirname(d) for d in orch.cgroups(p["metadata"]["uid"])}
    for d in (top, f"{top}/pod{p['metadata']['uid']}", f"{top}/pod{p['metadata']['uid']}/main"):
        with open(f"{d}/memory.min") as f:
            assert int(f.read()) == 64 * MI, d
    high = int(orch.cgroup_file(p, "main", "memory", "memory.high"))
    assert 95 * MI <= high <= 96 * MI


def node_cpus(orch):
    n = orch.api("/api/v1/nodes")["items"][0]["status"]["allocatable"]["cpu"]
    return int(n[:-1]) if n.endswith("m") else 1000 * int(n)


@pytest.mark.v2
def test_what_the_node_has_not_waits(orch):
    all_ = node_cpus(orch)
    orch.write("other.yaml", pod("other", container(orch.rootfs, *SLEEP,
                                                    resources=resources(f"{all_ - 300}m"))))
    p = run(orch, "wants", container(orch.rootfs, *SLEEP, resources=resources("100m")))
    before = orch.all_pids()
    resize(orch, "wants", resources(f"{all_ + 100}m"))
    p = wait_condition(orch, "wants", "PodResizePending", "Infeasible")
    assert condition(p, "PodResizePending")["message"] == (
        f"Node didn't have enough capacity: cpu, requested: {all_ + 100}, capacity: {all_}")
    assert p["spec"]["containers"][0]["resources"]["requests"]["cpu"] == f"{all_ + 100}m"
    assert shown(p) == resources("100m")
    assert container_status(p)["allocatedResources"] == {"cpu": "100m"}

    resize(orch, "wants", resources("500m"))
    p = wait_condition(orch, "wants", "PodResizePending", "Deferred")
    assert condition(p, "PodResizePending")["message"] == (
        f"Node didn't have enough resource: cpu, requested: 500, used: {all_ - 300}, "
        f"capacity: {all_}")
    assert condition(p, "PodResizePending")["observedGeneration"] == 3
    assert p["metadata"]["generation"] == 3
    assert weight(orch, p, "main") == shares(100)
    since = condition(p, "PodResizePending")["lastTransitionTime"]
    told = orch.ctl("plan", "--detailed-exitcode", check=False)
    assert told.returncode == 2 and "resize deferred: Node didn't have enough" in told.stdout
    for reason in ("ResizeInfeasible", "ResizeDeferred"):
        assert [e["type"] for e in events(orch, "wants", reason)] == ["Warning"], reason
    orch.restart()
    p = wait_condition(orch, "wants", "PodResizePending", "Deferred")
    assert condition(p, "PodResizePending")["lastTransitionTime"] == since
    assert p["metadata"]["generation"] == 3

    orch.remove("other.yaml")
    p = wait_resized(orch, "wants", resources("500m"))
    assert orch.plan()["empty"] and weight(orch, p, "main") == shares(500)
    mine = {x for x in before if x[0] in orch.pids(p, "main")}
    assert mine and mine <= orch.all_pids() and p["metadata"]["generation"] == 3


@pytest.mark.v2
def test_in_back_off_it_is_had_by_the_next_run(orch):
    orch.write("crashes.yaml", pod("crashes", container(
        orch.rootfs, "/bin/probe", "exit", "1", resizePolicy=RESTARTS,
        resources=resources(memory="16Mi", limit_memory="64Mi"))))
    p = wait_for(lambda: (q := orch.pod("crashes")) and
                 state(q)[1].get("reason") == "CrashLoopBackOff" and q, 15, "it is in its back-off")
    n, uid = container_status(p)["restartCount"], p["metadata"]["uid"]
    then = resources(memory="16Mi", limit_memory="32Mi")
    resize(orch, "crashes", then)
    p = wait_resized(orch, "crashes", then)
    assert limit(orch, p, "main") == 32 * MI
    assert container_status(p)["restartCount"] == n and p["metadata"]["uid"] == uid
    assert not events(orch, "crashes", "Killing")
    wait_for(lambda: container_status(orch.pod("crashes"))["restartCount"] > n, 30, "the next run")


def test_another_quality_of_service_is_another_pod(orch):
    """So is what is taken away, and everything else besides."""
    uid = run(orch, "other", container(orch.rootfs, *SLEEP,
                                       resources=resources("100m", limit_memory="32Mi")))[
        "metadata"]["uid"]
    for then in (resources("100m", "32Mi", limit_cpu="100m", limit_memory="32Mi"), {}):
        resize(orch, "other", then)
        p = wait_for(lambda u=uid: (q := orch.pod("other")) and q["metadata"]["uid"] != u and
                     state(q)[0] == "running" and q, 15, "another pod")
        uid = p["metadata"]["uid"]
        assert p["metadata"]["generation"] == 1


@pytest.mark.v2
def test_sidecars_and_plan(orch):
    side = container(orch.rootfs, *SLEEP, name="side", restartPolicy="Always",
                     resources=resources("100m", limit_memory="32Mi"), resizePolicy=RESTARTS)
    p = run(orch, "both", container(orch.rootfs, *SLEEP, resources=resources("100m")),
            initContainers=[side])
    before = orch.pids(p, "main")
    orch.restart("--sync", "manual")
    orch.ctl("apply")
    resize(orch, "both", resources("100m", limit_memory="64Mi"), "side")
    text = orch.ctl("plan").stdout
    assert "update in place, restart 1 container: spec.initContainers[side].resources" in text, text
    assert "1 container restarts" in text
    orch.ctl("apply", "--wait")
    p = wait_for(lambda: (q := orch.pod("both")) and
                 q["status"]["initContainerStatuses"][0]["restartCount"] == 1 and
                 "running" in q["status"]["initContainerStatuses"][0]["state"] and q, 15,
                 "the sidecar runs again")
    assert limit(orch, p, "side") == 64 * MI and orch.pids(p, "main") == before
    assert "Nothing to do" in orch.ctl("plan").stdout


@pytest.mark.v2
def test_a_crash_on_the_way_is_made_good(orch):
    """Killed at any point of a resize, orchd goes on from there."""
    sizes = [resources("100m", "16Mi", limit_memory=f"{n}Mi") for n in (64, 96)]
    p = run(orch, "way", container(orch.rootfs, *SLEEP, resources=sizes[0]))
    before = orch.all_pids()
    for i in range(1, 7):
        then = sizes[i % 2]
        resize(orch, "way", then)
        wait_for(lambda g=i + 1: os.path.exists(f"{orch.run_dir}/pods/{p['metadata']['uid']}/resize")
                 or orch.pod("way")["metadata"].get("generation") == g, 10, "it has begun",
                 every=0.001)
        orch.kill9()
        orch.start()
        p = wait_resized(orch, "way", then)
        assert limit(orch, p, "main") == [64, 96][i % 2] * MI
        assert limit(orch, p, "") == ([64, 96][i % 2] + 8) * MI
        assert p["metadata"]["generation"] == i + 1
    assert orch.all_pids() == before
    assert not os.path.exists(f"{orch.run_dir}/pods/{p['metadata']['uid']}/resize")


@pytest.mark.v2
def test_what_a_crash_left_half_done(orch):
    """Of pod and container only the pod was raised; then a resize that never came to be."""
    then = resources("100m", "16Mi", limit_memory="96Mi")
    p = run(orch, "half", container(orch.rootfs, *SLEEP, resizePolicy=RESTARTS,
                                    resources=resources("100m", "16Mi", limit_memory="96Mi")))
    before, uid = orch.all_pids(), p["metadata"]["uid"]
    left = f"{orch.run_dir}/pods/{uid}/resize"
    main, = orch.cgroups(uid, "main", "memory")

    def crash(generation, outdated):
        orch.kill9()
        with open(left, "w") as f:
            f.write(f"generation {generation} at 1764000000000000000\n"
                    f"main {outdated} 0 0 100 {64 * MI} {16 * MI}\n")
        with open(f"{main}/{MEMORY}", "w") as f:
            f.write(str(64 * MI))
        orch.start()
        orch.wait_settled()
        assert not os.path.exists(left)
        return orch.pod("half")

    for generation in (1, 99):
        p = crash(generation, int(generation == 99))
        assert shown(p) == then and not condition(p, "PodResizeInProgress")
        assert limit(orch, p, "main") == 96 * MI and limit(orch, p, "") == 104 * MI
        assert container_status(p)["restartCount"] == 0 and orch.all_pids() == before
    crash(1, 1)			# it was not restarted yet
    p = wait_for(lambda: (q := orch.pod("half")) and container_status(q)["restartCount"] == 1 and
                 state(q)[0] == "running" and q, 10, "it restarts")
    assert limit(orch, p, "main") == 96 * MI and p["metadata"]["uid"] == uid
