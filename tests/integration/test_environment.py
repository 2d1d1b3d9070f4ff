# SPDX-License-Identifier: GPL-2.0-or-later
"""What containers find in their environment: /proc/PID/environ of their processes."""

import pytest

from harness import configmap, container, deployment, pod, wait_for

LINKS = {
    "DB_MAIN_SERVICE_HOST": "{ip}", "DB_MAIN_SERVICE_PORT": "5432",
    "DB_MAIN_SERVICE_PORT_SQL": "5432", "DB_MAIN_SERVICE_PORT_STATS": "9187",
    "DB_MAIN_PORT": "tcp://{ip}:5432", "DB_MAIN_PORT_5432_TCP": "tcp://{ip}:5432",
    "DB_MAIN_PORT_5432_TCP_PROTO": "tcp", "DB_MAIN_PORT_5432_TCP_PORT": "5432",
    "DB_MAIN_PORT_5432_TCP_ADDR": "{ip}", "DB_MAIN_PORT_9187_UDP": "udp://{ip}:9187",
    "DB_MAIN_PORT_9187_UDP_PROTO": "udp", "DB_MAIN_PORT_9187_UDP_PORT": "9187",
    "DB_MAIN_PORT_9187_UDP_ADDR": "{ip}",
}


def service(name, ns=None, **spec):
    spec.setdefault("ports", [{"port": 80}])
    return {"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": name, **({"namespace": ns} if ns else {})}, "spec": spec}


def environment(orch, p, name="main"):
    """Of the first process; a variable that is there twice fails."""
    pid = min(orch.pids(p, name))
    with open(f"/proc/{pid}/environ") as f:
        pairs = [v.split("=", 1) for v in f.read().split("\0") if v]
    assert len(pairs) == len(dict(pairs)), pairs
    return dict(pairs)


def links(env):
    return {k: v for k, v in env.items() if "_SERVICE_" in k or "_PORT" in k}


def sleeper(**more):
    return container("/", "/bin/sleep", "1000", **more)


@pytest.mark.v2
@pytest.mark.subset
def test_addresses_of_services(orch):
    orch.write("a.yaml",
               {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}},
               service("db-main", ports=[{"name": "sql", "port": 5432},
                                         {"name": "stats", "port": 9187, "protocol": "UDP"}]),
               service("headless", clusterIP="None"), service("far", ns="other"),
               pod("p", sleeper(env=[
                   {"name": "URL", "value": "db://$(DB_MAIN_SERVICE_HOST)/x"},
                   {"name": "DB_MAIN_PORT", "value": "mine"}])),
               pod("q", sleeper(), enableServiceLinks=False))
    orch.wait_ready(2)
    ip = orch.get("services", "db-main")["spec"]["clusterIP"]
    env = environment(orch, orch.pod("p"))
    expected = {k: v.format(ip=ip) for k, v in LINKS.items()}
    expected["DB_MAIN_PORT"] = "mine"
    assert links(env) == expected
    assert env["URL"] == f"db://{ip}/x"
    assert links(environment(orch, orch.pod("q"))) == {}
    seen = orch.ctl("exec", "p", "--", "/usr/bin/env").stdout.splitlines()
    assert f"DB_MAIN_SERVICE_HOST={ip}" in seen


def test_services_that_come_and_go_restart_nothing(orch):
    orch.write("a.yaml", deployment("web", 1, sleeper()))
    before, = orch.wait_ready(1)
    assert links(environment(orch, before)) == {}
    orch.write("b.yaml", service("late"))
    wait_for(lambda: orch.get("services", "late"), 10, "the service is there")
    orch.wait_settled()
    after, = orch.wait_ready(1)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert links(environment(orch, after)) == {}
    orch.write("c.yaml", pod("p", sleeper()))
    orch.wait_ready(2)
    assert "LATE_SERVICE_HOST" in environment(orch, orch.pod("p"))


def test_variables_of_references(orch):
    orch.write("a.yaml", configmap("c", one="1", two="$(one)"),
               {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"},
                "stringData": {"pw": "geheim"}},
               pod("p", sleeper(
                   command=["/bin/sh", "-c", 'echo "$0 $1 $2"; exec sleep 1000',
                            "$(X)", "$$(X)", "$(NONE)"],
                   resources={"limits": {"cpu": "1500m", "memory": "64Mi"}},
                   envFrom=[{"prefix": "C_", "configMapRef": {"name": "c"}},
                            {"secretRef": {"name": "s"}},
                            {"secretRef": {"name": "absent", "optional": True}}],
                   env=[{"name": "X", "value": "$(C_one)-$(pw)-$$(pw)-$(Y)"},
                        {"name": "Y", "value": "late"},
                        {"name": "pw", "value": "own"},
                        *({"name": n, "valueFrom": v} for n, v in {
                            "KEY": {"configMapKeyRef": {"name": "c", "key": "two"}},
                            "GONE": {"secretKeyRef": {"name": "s", "key": "no", "optional": True}},
                            "IP": {"fieldRef": {"fieldPath": "status.podIP"}},
                            "LABEL": {"fieldRef": {"fieldPath": "metadata.labels['a/b']"}},
                            "CPU": {"resourceFieldRef": {"resource": "limits.cpu"}},
                            "MILLI": {"resourceFieldRef": {"resource": "requests.cpu",
                                                           "divisor": "1m"}},
                            "MIB": {"resourceFieldRef": {"resource": "limits.memory",
                                                         "divisor": "1Mi"}},
                            "OTHER": {"resourceFieldRef": {"containerName": "other",
                                                           "resource": "limits.memory"}},
                        }.items())]),
                   sleeper(name="other", resources={"limits": {"memory": "48Mi"}}),
                   labels={"a/b": "c"}))
    p, = orch.wait_ready(1)
    env = environment(orch, p)
    expected = {"C_one": "1", "C_two": "$(one)", "pw": "own", "X": "1-geheim-$(pw)-$(Y)",
                "Y": "late", "KEY": "$(one)", "IP": p["status"]["podIP"], "LABEL": "c",
                "CPU": "2", "MILLI": "1500", "MIB": "64", "OTHER": str(48 << 20)}
    assert {k: env.get(k) for k in expected} == expected
    assert "GONE" not in env and "two" not in env
    wait_for(lambda: orch.log_text(p, "main") == f"{env['X']} $(X) $(NONE)\n", 10, "the command")
