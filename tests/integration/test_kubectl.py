# SPDX-License-Identifier: GPL-2.0-or-later
"""Unmodified kubectl, through socat on the API socket, as the judge of the API's shapes."""

import json
import re
import subprocess
import time

import pytest

from harness import configmap, container, deployment, namespace, pod, service, wait_for

READY = {"httpGet": {"port": 8080}, "periodSeconds": 1}


def web(orch, text):
    orch.write("web.yaml", namespace("team"), configmap("cfg", ns="team", k="v"),
               deployment("web", 2, container(orch.rootfs, "/bin/probe", "listen", "8080", text,
                                              readinessProbe=READY),
                          annotations={"kubernetes.io/change-cause": f"release {text}"}),
               service("web", 80, 8080, node_port=30080),
               {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "sec"},
                "stringData": {"p": "w"}})
    orch.wait_rollout("web")
    orch.wait_ready(2, app="web")


def rows(text):
    """A table as dicts; columns are two spaces or more apart."""
    lines = text.splitlines()
    names = re.split(r"\s{2,}", lines[0].strip())
    return [dict(zip(names, re.split(r"\s{2,}", l.strip()))) for l in lines[1:]]


def test_get_tables(kube):
    web(kube, "r1")
    out = kube.kubectl("get", "pods,deploy,rs,svc,cm,ns", "-A", "-o", "wide")
    assert not out.stderr, out.stderr
    blocks = [rows(b) for b in out.stdout.strip().split("\n\n")]
    assert len(blocks) == 6
    pods, deploys, sets, services, _, spaces = blocks
    assert [p["READY"] for p in pods] == ["1/1"] * 2
    assert {p["STATUS"] for p in pods} == {"Running"} and {p["NODE"] for p in pods} == {"node1"}
    assert re.match(r"10\.244\.", pods[0]["IP"])
    assert deploys[0]["READY"] == "2/2" and deploys[0]["AVAILABLE"] == "2"
    assert deploys[0]["CONTAINERS"] == "main" and deploys[0]["SELECTOR"] == "app=web"
    assert sets[0]["DESIRED"] == "2"
    ours = next(s for s in services if s["NAME"].endswith("web"))
    assert ours["TYPE"] == "NodePort" and ours["PORT(S)"] == "80:30080/TCP"
    assert len(spaces) == 2
    assert "namespace/default" in out.stdout and "namespace/team" in out.stdout


def test_get_yaml_json_and_selectors(kube):
    web(kube, "r1")
    text = kube.kubectl("get", "deploy", "web", "-o", "yaml").stdout
    assert text.startswith("apiVersion: apps/v1\nkind: Deployment\n")
    pods = json.loads(kube.kubectl("get", "pods", "-l", "app=web", "-o", "json").stdout)
    assert pods["kind"] == "List" and len(pods["items"]) == 2
    assert kube.kubectl("get", "pods", "-l", "app=none").stderr.startswith("No resources found")
    name = pods["items"][0]["metadata"]["name"]
    assert kube.kubectl("get", "pod", name, "-o", "jsonpath={.status.podIP}").stdout == \
        pods["items"][0]["status"]["podIP"]
    assert kube.kubectl("get", "pods", "--field-selector", f"metadata.name={name}",
                        "-o", "name").stdout.strip() == f"pod/{name}"
    assert kube.kubectl("get", "secret", "sec", "-o", "jsonpath={.data.p}").stdout == "dw=="
    r = kube.kubectl("get", "pod", "nobody", check=False)
    assert r.returncode == 1
    assert r.stderr.strip() == 'Error from server (NotFound): pods "nobody" not found'


def test_watch(kube):
    web(kube, "r1")
    w = subprocess.Popen(kube.kubectl_command("get", "pods", "-w"), text=True,
                         stdout=subprocess.PIPE)
    try:
        assert w.stdout.readline().startswith("NAME")
        first = {w.stdout.readline().split()[0] for _ in range(2)}
        kube.edit("web.yaml", '"replicas": 2', '"replicas": 3')
        seen = []
        while not seen or seen[-1][2] != "Running":
            seen.append(w.stdout.readline().split())
            assert seen[-1][0] not in first or seen[-1][2] == "Running"
    finally:
        w.kill()
        w.wait()
        w.stdout.close()


def test_describe(kube):
    web(kube, "r1")
    name = kube.pods(app="web")[0]["metadata"]["name"]
    text = kube.kubectl("describe", "pod", name).stdout
    assert re.match(rf"Name:\s+{name}\n", text)
    for part in ("Controlled By:  ReplicaSet/web-", "Image:", "Ready:",
                 "Conditions:", "Events:", "Readiness:"):
        assert part in text, text
    text = kube.kubectl("describe", "deploy", "web").stdout
    assert "2 desired | 2 updated | 2 total | 2 available | 0 unavailable" in text
    assert "NewReplicaSet:" in text and "RollingUpdateStrategy:" in text
    text = kube.kubectl("describe", "svc", "web").stdout
    assert "NodePort:" in text
    ip = kube.pods(app="web")[0]["status"]["podIP"]
    assert f"{ip}:8080" in text, text
    for kind, what in (("rs", ""), ("cm", "cfg -n team"), ("ns", "team"), ("secret", "sec")):
        kube.kubectl("describe", kind, *what.split())


def test_logs(kube):
    kube.write("t.yaml", pod("t", container(kube.rootfs, "/bin/probe", "ticker", "20000")))
    wait_for(lambda: kube.pod("t") and "tick 3" in kube.log_text(kube.pod("t"), "main"))
    assert kube.kubectl("logs", "t").stdout.startswith("tick 0\ntick 1\n")
    assert len(kube.kubectl("logs", "t", "--tail=2").stdout.splitlines()) == 2
    stamped = kube.kubectl("logs", "t", "--timestamps", "--tail=1").stdout
    assert re.match(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d) tick \d+\n$", stamped)
    f = subprocess.Popen(kube.kubectl_command("logs", "-f", "t"), text=True, stdout=subprocess.PIPE)
    try:
        began = time.monotonic()
        lines = [f.stdout.readline().strip() for _ in range(60)]
        assert lines == [f"tick {i}" for i in range(60)]
        assert time.monotonic() - began < 10
    finally:
        f.kill()
        f.wait()
        f.stdout.close()
    r = kube.kubectl("logs", "t", "-c", "nope", check=False)
    assert r.returncode == 1 and "container nope is not valid for pod t" in r.stderr


def test_rollout_and_wait(kube):
    web(kube, "r1")
    assert 'deployment "web" successfully rolled out' in \
        kube.kubectl("rollout", "status", "deploy/web").stdout
    kube.edit("web.yaml", '"r1"', '"r2"')
    kube.edit("web.yaml", "release r1", "release r2")
    wait_for(lambda: len(kube.get("replicasets")) == 2)
    out = kube.kubectl("rollout", "status", "deploy/web", "--timeout=60s").stdout
    assert 'deployment "web" successfully rolled out' in out
    history = kube.kubectl("rollout", "history", "deploy/web").stdout
    assert re.search(r"^1\s+release r1$", history, re.M), history
    assert re.search(r"^2\s+release r2$", history, re.M), history
    assert "r2" in kube.kubectl("rollout", "history", "deploy/web", "--revision=2").stdout
    out = kube.kubectl("wait", "--for=condition=Available", "deploy/web", "--timeout=20s").stdout
    assert out == "deployment.apps/web condition met\n"
    out = kube.kubectl("wait", "--for=condition=Ready", "pod", "-l", "app=web", "--timeout=20s")
    assert out.stdout.count("condition met") == 2


def test_discovery(kube):
    out = kube.kubectl("api-resources").stdout
    kinds = {l.split()[-1]: l.split()[0] for l in out.splitlines()[1:]}
    for kind, plural in (("Pod", "pods"), ("Deployment", "deployments"), ("Event", "events"),
                         ("ReplicaSet", "replicasets"), ("Service", "services"),
                         ("ConfigMap", "configmaps"), ("Secret", "secrets"),
                         ("Namespace", "namespaces")):
        assert kinds[kind] == plural
    assert "Server Version" in kube.kubectl("version").stdout
    assert "ok" in kube.kubectl("get", "--raw", "/readyz").stdout


def test_events(kube):
    kube.write("p.yaml", pod("p", container(kube.rootfs, "/bin/probe", "exit", "1")))
    of_p = "involvedObject.kind=Pod,involvedObject.name=p"
    wait_for(lambda: "Started" in
             kube.kubectl("get", "events", f"--field-selector={of_p}").stdout, 15)
    assert "No resources" in kube.kubectl("get", "events", "--field-selector",
                                          "involvedObject.name=q").stderr
    if kube.kubectl("events", "--help", check=False).returncode:
        pytest.skip("this kubectl has no `events` (new in 1.26); `get events` is right")
    out = kube.kubectl("events", "--for", "pod/p", check=False)
    assert out.returncode == 0 and "Started" in out.stdout, out.stdout + out.stderr


def test_changes_are_refused_with_a_sentence(kube):
    web(kube, "r1")
    name = kube.pods(app="web")[0]["metadata"]["name"]
    r = kube.kubectl("delete", "deploy", "web", check=False)
    assert r.returncode == 1 and "file" in r.stderr, r.stderr
    assert kube.pod(name)
