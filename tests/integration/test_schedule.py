# SPDX-License-Identifier: GPL-2.0-or-later
"""Which pods have a place on the node: requests against what the machine has, labels and taints of a
Node manifest, priorities and preemption, as processes, events and clients of the API see it."""

import os

import pytest

from harness import container, deployment, is_ready, never, pod, state, wait_for


def node(labels=None, **spec):
    return {"apiVersion": "v1", "kind": "Node",
            "metadata": {"name": "node1", "labels": labels or {}}, "spec": spec}


def priority_class(name, value, **more):
    return {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
            "metadata": {"name": name}, "value": value, **more}


def daemons(orch, **pod_more):
    d = deployment("d", 1, sleeper(orch), pod_more=pod_more)
    del d["spec"]["replicas"]
    return {**d, "kind": "DaemonSet"}


def sleeper(orch, **requests):
    more = {"resources": {"requests": requests}} if requests else {}
    return container(orch.rootfs, "/bin/probe", "sleep", **more)


def milli(part):
    """A part of all processors."""
    return f"{int(os.cpu_count() * 1000 * part)}m"


def scheduled(orch, name):
    """(status, reason, message) of the condition."""
    for c in (orch.pod(name) or {}).get("status", {}).get("conditions", []):
        if c["type"] == "PodScheduled":
            return c["status"], c.get("reason"), c.get("message")
    return None


def wait_pending(orch, name, words):
    def pending():
        s = scheduled(orch, name)
        return s and s[0] == "False" and words in s[2] and orch.pod(name)
    p = wait_for(pending, 15, f"{name}: {words}")
    assert p["status"]["phase"] == "Pending" and not orch.pids(p, "main")
    return p


@pytest.mark.v2
def test_requests_and_what_the_node_has(orch):
    n = orch.get("nodes", "node1", ns=None)
    assert n["status"]["capacity"]["cpu"] == str(os.cpu_count())
    assert n["status"]["capacity"]["pods"] == n["status"]["allocatable"]["pods"]
    orch.write("a.yaml", pod("first", sleeper(orch, cpu=milli(0.7))))
    orch.wait_running("first")
    orch.write("b.yaml", pod("second", sleeper(orch, cpu=milli(0.7), memory="1Ki")))
    wait_pending(orch, "second", "0/1 nodes are available: 1 Insufficient cpu. preemption: ")
    assert any(e["reason"] == "FailedScheduling" and "Insufficient cpu" in e["message"]
               for e in orch.get("events"))
    assert orch.ctl("get", "pod", "second").stdout.split()[-3] == "Pending"
    waits = orch.pod("second")
    assert "nodeName" not in waits["spec"] and not {"podIP", "hostIP"} & waits["status"].keys()
    orch.wait_settled()
    orch.remove("a.yaml")
    runs = orch.wait_running("second")
    assert runs["spec"]["nodeName"] == "node1" and runs["status"]["podIP"]


def test_node_manifest(orch):
    orch.write("p.yaml", pod("picky", sleeper(orch), nodeSelector={"disk": "ssd"}),
               pod("plain", sleeper(orch)))
    orch.wait_running("plain")
    wait_pending(orch, "picky", "1 node(s) didn't match Pod's node affinity/selector.")
    orch.write("n.yaml", node({"disk": "ssd"}), daemons(orch))
    orch.wait_running("picky")
    orch.wait_ready(1, app="d")
    before = orch.all_pids()
    # a cordon keeps what runs and lets nothing else in, but daemons
    orch.write("n.yaml", node({"disk": "ssd"}, unschedulable=True), daemons(orch))
    orch.write("q.yaml", pod("late", sleeper(orch)))
    wait_pending(orch, "late", "1 node(s) were unschedulable.")
    assert before <= orch.all_pids()
    assert "SchedulingDisabled" in orch.ctl("get", "node", "node1").stdout
    orch.write("n.yaml", node({"disk": "ssd"}, taints=[
        {"key": "burning", "value": "yes", "effect": "NoExecute"}]), daemons(orch))
    wait_pending(orch, "plain", "1 node(s) had untolerated taint {burning: yes}.")
    wait_for(lambda: not orch.pods(app="d"), 10, "the daemon goes")
    assert not orch.all_pids() & before
    orch.write("n.yaml", node({"disk": "ssd"}), daemons(orch))
    for name in ("picky", "plain", "late"):
        orch.wait_running(name)
    orch.wait_ready(1, app="d")


def test_tolerated_for_a_time(orch):
    for_a_time = {"tolerations": [{"key": "k", "operator": "Exists", "effect": "NoExecute",
                                   "tolerationSeconds": 4}]}
    orch.write("p.yaml", pod("x", sleeper(orch), **for_a_time))
    first = orch.wait_running("x")
    orch.write("n.yaml", node(taints=[{"key": "k", "effect": "NoExecute"}]))
    wait_for(lambda: "k" in str(orch.get("nodes", "node1", ns=None).get("spec")), 10)
    orch.restart()		# since when it is there is not forgotten
    wait_for(lambda: orch.pod("x")["metadata"].get("deletionTimestamp") or
             orch.pod("x")["metadata"]["uid"] != first["metadata"]["uid"], 20, "x is evicted")
    assert any(e["reason"] == "TaintManagerEviction" for e in orch.get("events"))


def test_gates_and_affinity(orch):
    away = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "web"}}}]}}
    orch.write("g.yaml", pod("gated", sleeper(orch), schedulingGates=[{"name": "example.com/wait"}]))
    orch.write("w.yaml", deployment("web", 2, sleeper(orch), pod_more={"affinity": away}))
    wait_for(lambda: (scheduled(orch, "gated") or "  ")[1] == "SchedulingGated", 10)
    assert orch.ctl("get", "pod", "gated").stdout.split()[-3] == "SchedulingGated"
    wait_for(lambda: sorted(p["status"]["phase"] for p in orch.pods(app="web")) ==
             ["Pending", "Running"], 15, "one of two")
    never(lambda: sum(is_ready(p) for p in orch.pods(app="web")) > 1, 0.5)
    orch.write("g.yaml", pod("gated", sleeper(orch)))
    orch.wait_running("gated")


@pytest.mark.v2
def test_preemption(orch):
    orch.write("c.yaml", priority_class("low", 1), priority_class("high", 100))
    orch.write("l.yaml", pod("low", sleeper(orch, cpu=milli(0.6)), priorityClassName="low"))
    low = orch.wait_running("low")
    assert low["spec"]["priority"] == 1
    orch.write("h.yaml", pod("high", sleeper(orch, cpu=milli(0.6)), priorityClassName="high"))
    orch.wait_running("high")
    wait_pending(orch, "low", "1 Insufficient cpu.")
    assert any(e["reason"] == "Preempted" and e["involvedObject"]["name"] == "low"
               for e in orch.get("events"))
    orch.wait_settled()
    orch.restart()
    never(lambda: state(orch.pod("high") or {})[0] != "running" and orch.pod("high"), 0.5)
    orch.remove("h.yaml")
    orch.wait_running("low")


def test_preemption_policy(orch):
    """What never pushes others away waits, though it is more important."""
    orch.write("c.yaml", priority_class("low", 1),
               priority_class("patient", 100, preemptionPolicy="Never"))
    orch.write("l.yaml", pod("low", sleeper(orch, cpu=milli(0.6)), priorityClassName="low"))
    low = orch.wait_running("low")
    orch.write("h.yaml", pod("high", sleeper(orch, cpu=milli(0.6)), priorityClassName="patient",
                             preemptionPolicy="Never"))
    wait_pending(orch, "high", "1 Insufficient cpu. preemption: ")
    orch.wait_settled()
    now = orch.pod("low")
    assert now["metadata"]["uid"] == low["metadata"]["uid"] and state(now)[0] == "running"
    orch.remove("l.yaml")
    orch.wait_running("high")


# ---- affinity, tolerations and spread ----

def placed(orch, pods, words):
    """pods: {name: (does it have a place, what its spec says)}; words: why the others have none."""
    orch.write("all.yaml", *[pod(name, sleeper(orch), labels={"app": "me", "tier": "x"}, **spec)
                             for name, (_, spec) in pods.items()])
    for name, (has, _) in pods.items():
        orch.wait_running(name) if has else wait_pending(orch, name, words)


def test_node_affinity(orch):
    orch.write("n.yaml", node({"disk": "ssd", "size": "5"}))
    wait_for(lambda: orch.get("nodes", "node1", ns=None)["metadata"]["labels"].get("disk") == "ssd")

    def asks(*terms):
        return {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": list(terms)}}}}

    def labels(*expressions):
        return {"matchExpressions": [dict(zip(("key", "operator", "values"), e))
                                     for e in expressions]}
    placed(orch, {
        "in": (True, asks(labels(("disk", "In", ["hdd", "ssd"])))),
        "not-in": (False, asks(labels(("disk", "NotIn", ["ssd"])))),
        "exists": (False, asks(labels(("gpu", "Exists")))),
        "absent": (True, asks(labels(("gpu", "DoesNotExist")))),
        "greater": (True, asks(labels(("size", "Gt", ["4"])))),
        "less": (False, asks(labels(("size", "Lt", ["5"])))),
        "both": (False, asks(labels(("disk", "In", ["ssd"]), ("gpu", "Exists")))),
        "either": (True, asks(labels(("gpu", "Exists")), labels(("disk", "Exists")))),
        "name": (True, asks({"matchFields": [
            {"key": "metadata.name", "operator": "In", "values": ["node1"]}]})),
        "other": (False, asks({"matchFields": [
            {"key": "metadata.name", "operator": "In", "values": ["node2"]}]})),
    }, "1 node(s) didn't match Pod's node affinity/selector.")


def test_pods_near_to_others(orch):
    orch.write("a.yaml", {"apiVersion": "v1", "kind": "Namespace",
                          "metadata": {"name": "far", "labels": {"team": "b"}}},
               pod("db", sleeper(orch), ns="far", labels={"app": "db", "tier": "x"}))
    wait_for(lambda: state(orch.pod("db", "far") or {})[0] == "running", 15, "db runs")

    def near(**term):
        selector = {"matchExpressions": [{"key": "app", "operator": "In", "values": ["db"]}]}
        term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": selector, **term}
        return {"affinity": {"podAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [term]}}}
    placed(orch, {
        "same-namespace": (False, near()),
        "by-name": (True, near(namespaces=["far"])),
        "by-label": (True, near(namespaceSelector={"matchLabels": {"team": "b"}})),
        "by-none": (False, near(namespaceSelector={"matchLabels": {"team": "c"}})),
        "other-label": (False, near(namespaces=["far"], labelSelector={
            "matchLabels": {"app": "cache"}})),
        "no-such-place": (False, near(namespaces=["far"], topologyKey="rack")),
        "like-it": (True, near(namespaces=["far"], matchLabelKeys=["tier"])),
        "unlike-it": (False, near(namespaces=["far"], mismatchLabelKeys=["tier"])),
    }, "1 node(s) didn't match pod affinity rules.")


def test_tolerations_by_value_and_effect(orch):
    orch.write("n.yaml", node(taints=[{"key": "k", "value": "yes", "effect": "NoSchedule"}]))
    wait_for(lambda: orch.get("nodes", "node1", ns=None).get("spec", {}).get("taints"))

    def bears(**toleration):
        return {"tolerations": [{"key": "k", **toleration}]}
    placed(orch, {
        "value": (True, bears(operator="Equal", value="yes", effect="NoSchedule")),
        "other-value": (False, bears(operator="Equal", value="no", effect="NoSchedule")),
        "other-effect": (False, bears(operator="Exists", effect="NoExecute")),
        "every-effect": (True, bears(operator="Exists")),
        "other-key": (False, bears(key="l", operator="Exists")),
        "every-key": (True, {"tolerations": [{"operator": "Exists"}]}),
    }, "1 node(s) had untolerated taint {k: yes}.")


def test_spread(orch):
    """One node is one place: too many are on it only where there should be more places."""
    def spread(**more):
        return {"topologySpreadConstraints": [{
            "topologyKey": "kubernetes.io/hostname", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": {"matchLabels": {"app": "seen"}}, **more}]}
    orch.write("a.yaml", *[pod(f"seen-{n}", sleeper(orch), labels={"app": "seen", "tier": n})
                           for n in "xy"])
    orch.wait_ready(2, app="seen")
    placed(orch, {
        "one-place": (True, spread()),
        "two-places": (False, spread(minDomains=2)),
        "wider": (True, spread(minDomains=2, maxSkew=2)),
        "anyway": (True, spread(topologyKey="rack", whenUnsatisfiable="ScheduleAnyway")),
        "of-its-tier": (True, spread(minDomains=2, matchLabelKeys=["tier"])),
        "others": (True, spread(minDomains=2, labelSelector={"matchLabels": {"app": "none"}})),
        "no-such-place": (False, spread(topologyKey="rack")),
    }, "1 node(s) didn't match pod topology spread constraints")


def test_unknown_class(orch):
    orch.write("p.yaml", pod("x", sleeper(orch), priorityClassName="gone"))
    wait_for(lambda: any("no PriorityClass with name gone was found" in e["message"]
                         for e in orch.get("events")), 10)
    assert orch.pod("x") is None
    orch.write("c.yaml", priority_class("gone", 5))
    orch.wait_running("x")


@pytest.mark.flags("--max-pods", "6")
def test_number_of_pods(orch):
    orch.write("d.yaml", deployment("many", 7, sleeper(orch)))
    wait_for(lambda: sum(is_ready(p) for p in orch.pods(app="many")) == 6, 20, "six of seven")
    waiting, = [p for p in orch.pods(app="many") if p["status"]["phase"] == "Pending"]
    wait_pending(orch, waiting["metadata"]["name"], "1 Too many pods.")


def test_disruption_budget(orch):
    orch.write("c.yaml", priority_class("high", 100), {
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "keep"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "kept"}}}})
    orch.write("spare.yaml", deployment("spare", 1, sleeper(orch, cpu=milli(0.45))))
    orch.wait_ready(1, app="spare")
    orch.write("kept.yaml", deployment("kept", 1, sleeper(orch, cpu=milli(0.45))))
    kept, = orch.wait_ready(1, app="kept")
    row = orch.ctl("get", "pdb", "keep").stdout.splitlines()[1].split()
    assert row[:4] == ["keep", "1", "N/A", "0"]
    orch.write("h.yaml", pod("high", sleeper(orch, cpu=milli(0.4)), priorityClassName="high"))
    orch.wait_running("high")
    assert [p["metadata"]["uid"] for p in orch.pods(app="kept")] == [kept["metadata"]["uid"]]
    assert orch.pods(app="spare")[0]["status"]["phase"] == "Pending"
