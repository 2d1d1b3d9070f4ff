# SPDX-License-Identifier: GPL-2.0-or-later
"""Traffic: pod to pod, through ClusterIP and NodePort, as real sockets see it."""

import ipaddress
import socket
import threading

import pytest

from harness import (container, deployment, http_get, in_netns, is_ready, pod, service, wait_for)

READY = {"httpGet": {"port": 8080}, "periodSeconds": 1}


def listen(orch, text="hi"):
    return container(orch.rootfs, "/bin/probe", "listen", "8080", text, readinessProbe=READY)


def answers(orch, ip, port, n=60, **kwargs):
    return [orch.http(ip, port, **kwargs)[1].split()[0] for _ in range(n)]


@pytest.mark.v2
@pytest.mark.subset
def test_pod_to_pod_and_host_to_pod(orch):
    orch.write("p.yaml", pod("server", listen(orch)),
               pod("client", container(orch.rootfs, "/bin/probe", "sleep")))
    orch.wait_ready(2)
    ip = orch.pod("server")["status"]["podIP"]
    assert ipaddress.ip_address(ip) in ipaddress.ip_network("10.244.0.0/16")
    assert orch.http(ip, 8080) == (200, "server hi\n")
    r = orch.exec("client", "/bin/probe", "connect", ip, "8080")
    assert "server hi" in r.stdout
    # to itself, by its own address
    assert "server hi" in orch.exec("server", "/bin/probe", "connect", ip, "8080").stdout


@pytest.mark.subset
def test_cluster_ip_spreads_over_ready_pods(orch):
    orch.write("web.yaml", deployment("web", 3, listen(orch)), service("web", 80, 8080),
               pod("client", container(orch.rootfs, "/bin/probe", "sleep")))
    pods = {p["metadata"]["name"] for p in orch.wait_ready(3, app="web")}
    vip = orch.get("services", "web")["spec"]["clusterIP"]
    assert ipaddress.ip_address(vip) in ipaddress.ip_network("10.96.0.0/16")
    assert set(answers(orch, vip, 80)) == pods
    seen = {orch.exec("client", "/bin/probe", "connect", vip, "80").stdout.split("\n\n")[1]
            .split()[0] for _ in range(12)}
    assert seen <= pods and len(seen) > 1
    # a pod reaches its own service, whichever pod answers
    one = sorted(pods)[0]
    assert all("hi" in orch.exec(one, "/bin/probe", "connect", vip, "80").stdout for _ in range(8))


def test_only_ready_pods_get_traffic(orch):
    gate = {"exec": {"command": ["/bin/probe", "exists", "/tmp/ok"]}, "periodSeconds": 1,
            "failureThreshold": 1}
    orch.write("web.yaml", service("web", 80, 8080),
               deployment("web", 2, container(orch.rootfs, "/bin/probe", "listen", "8080", "hi",
                                              readinessProbe=gate)))
    pods = wait_for(lambda: len(orch.pods(app="web")) == 2 and
                    all(p["status"].get("phase") == "Running" for p in orch.pods(app="web")) and
                    orch.pods(app="web"))
    vip = orch.get("services", "web")["spec"]["clusterIP"]
    with pytest.raises(OSError):
        orch.http(vip, 80, timeout=1)
    name = pods[0]["metadata"]["name"]
    orch.exec(name, "/bin/probe", "write", "/tmp/ok", "1")
    wait_for(lambda: is_ready(orch.pod(name)), 5)
    assert set(answers(orch, vip, 80, 20)) == {name}
    endpoints = orch.get("endpoints", "web")["subsets"]
    assert [a["ip"] for s in endpoints for a in s.get("addresses", [])] == \
        [pods[0]["status"]["podIP"]]
    assert len([a for s in endpoints for a in s.get("notReadyAddresses", [])]) == 1


@pytest.mark.v2
def test_node_port_from_another_namespace(orch):
    outside = orch.outside()
    orch.write("web.yaml", deployment("web", 2, listen(orch)),
               service("web", 80, 8080, node_port=30080))
    pods = {p["metadata"]["name"] for p in orch.wait_ready(2, app="web")}
    seen = {in_netns(outside.pid, http_get, "192.0.2.1", 30080)[1].split()[0] for _ in range(30)}
    assert seen == pods
    # from the node itself, too
    assert orch.http("192.0.2.1", 30080)[0] == 200


def test_service_without_endpoints_refuses(orch):
    orch.write("web.yaml", service("web", 80, 8080))
    vip = wait_for(lambda: (orch.get("services", "web") or {}).get("spec", {}).get("clusterIP"))
    with pytest.raises(ConnectionRefusedError):
        orch.http(vip, 80, timeout=1)


def test_deleted_service_is_out_of_the_maps(orch):
    orch.write("web.yaml", service("web", 80, 8080))
    orch.write("p.yaml", pod("web", listen(orch), labels={"app": "web"}))
    vip = wait_for(lambda: (orch.get("services", "web") or {}).get("spec", {}).get("clusterIP"))
    wait_for(lambda: vip in orch.service_maps(), 5)
    orch.remove("web.yaml")
    wait_for(lambda: vip not in orch.service_maps(), 5)
    assert not orch.get("services", "web")


def test_addresses_stay_across_a_restart(orch):
    orch.write("web.yaml", deployment("web", 2, listen(orch)), service("web", 80, 8080))
    orch.wait_ready(2, app="web")
    vip = orch.get("services", "web")["spec"]["clusterIP"]
    ips = {p["metadata"]["name"]: p["status"]["podIP"] for p in orch.pods()}
    with orch.client(vip, 80) as c:
        orch.restart()
        orch.wait_settled()
    assert c.answers and not c.failures()
    assert orch.get("services", "web")["spec"]["clusterIP"] == vip
    assert {p["metadata"]["name"]: p["status"]["podIP"] for p in orch.pods()} == ips


@pytest.mark.v2
def test_rules_come_back_after_a_flush(orch):
    orch.write("web.yaml", deployment("web", 1, listen(orch)), service("web", 80, 8080))
    orch.wait_ready(1, app="web")
    vip = orch.get("services", "web")["spec"]["clusterIP"]
    wait_for(lambda: vip in orch.service_maps(), 5)
    orch.ns.run("nft", "flush", "ruleset")
    wait_for(lambda: vip in orch.service_maps(), 5, "the table is written again")
    assert orch.http(vip, 80)[0] == 200


def test_other_tables_are_left_alone(orch):
    orch.ns.run("nft", "add", "table", "ip", "mine")
    orch.write("web.yaml", service("web", 80, 8080))
    wait_for(lambda: orch.get("services", "web"), 5)
    assert "table ip mine" in orch.service_maps()
    orch.ns.run("nft", "delete", "table", "ip", "mine")


class Peer:
    """A server in another namespace that answers each request with the client's address."""

    def __init__(self, pid, ip, port):
        self.socket = in_netns(pid, self.listen, ip, port)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    @staticmethod
    def listen(ip, port):
        s = socket.create_server((ip, port))
        s.settimeout(0.2)
        return s

    def serve(self):
        while True:
            try:
                c, (ip, _) = self.socket.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            with c:
                c.recv(4096)
                c.sendall(b"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nto " + ip.encode())

    def close(self):
        self.socket.close()
        self.thread.join()


def unselective(name, node_port, **spec):
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
            "spec": {"type": "NodePort", "ports": [{"port": 80, "nodePort": node_port}], **spec}}


def declared(name, port, *ready, not_ready=()):
    subset = {"ports": [{"port": port}], "addresses": [{"ip": ip} for ip in ready],
              "notReadyAddresses": [{"ip": ip} for ip in not_ready]}
    return {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": name},
            "subsets": [{k: v for k, v in subset.items() if v}]}


def declared_slice(service, port, ip, ready=True):
    return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": service + "-far",
                         "labels": {"kubernetes.io/service-name": service}},
            "endpoints": [{"addresses": [ip], "conditions": {"ready": ready}}],
            "ports": [{"port": port}]}


def refused(orch, ip, port):
    try:
        orch.http(ip, port, timeout=1)
    except ConnectionRefusedError:
        return True
    return False


def test_declared_endpoints(orch):
    outside = orch.outside()
    peer = Peer(outside.pid, "192.0.2.2", 9999)
    try:
        orch.write("db.yaml", unselective("db", 30090), declared("db", 9999, "192.0.2.2"),
                   pod("client", container(orch.rootfs, "/bin/probe", "sleep")))
        orch.wait_ready(1)
        vip = orch.get("services", "db")["spec"]["clusterIP"]
        # the other host does not know our networks: what it sees is an address of the node
        assert orch.http(vip, 80) == (200, "to 192.0.2.1")
        assert "to 192.0.2.1" in orch.exec("client", "/bin/probe", "connect", vip, "80").stdout
        assert in_netns(outside.pid, http_get, "192.0.2.1", 30090) == (200, "to 192.0.2.1")
        assert orch.get("endpoints", "db")["subsets"] == \
            [{"addresses": [{"ip": "192.0.2.2"}], "ports": [{"port": 9999, "protocol": "TCP"}]}]
        # not ready, then by a slice instead
        orch.write("db.yaml", unselective("db", 30090),
                   declared("db", 9999, not_ready=["192.0.2.2"]))
        wait_for(lambda: refused(orch, vip, 80), 5)
        orch.write("db.yaml", unselective("db", 30090), declared_slice("db", 9999, "192.0.2.2"))
        wait_for(lambda: not refused(orch, vip, 80), 5)
        assert orch.http(vip, 80) == (200, "to 192.0.2.1")
        orch.write("db.yaml", unselective("db", 30090),
                   declared_slice("db", 9999, "192.0.2.2", ready=False))
        wait_for(lambda: refused(orch, vip, 80), 5)
        orch.wait_settled()
    finally:
        peer.close()


def test_endpoints_of_a_service_with_selector_are_made(orch):
    orch.write("web.yaml", service("web", 80, 8080), declared("web", 9999, "192.0.2.2"),
               pod("web", listen(orch), labels={"app": "web"}))
    orch.wait_ready(1)
    ip = orch.pod("web")["status"]["podIP"]
    vip = orch.get("services", "web")["spec"]["clusterIP"]
    wait_for(lambda: [a["ip"] for s in orch.get("endpoints", "web").get("subsets", [])
                      for a in s.get("addresses", [])] == [ip], 5)
    assert orch.http(vip, 80)[0] == 200
    orch.wait_settled()


def test_external_addresses_and_load_balancers(orch):
    outside = orch.outside()
    web = service("web", 80, 8080, node_port=30091)
    web["spec"].update(type="LoadBalancer", externalIPs=["198.51.100.7"])
    orch.write("web.yaml", deployment("web", 1, listen(orch)), web,
               {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "far"},
                "spec": {"type": "ExternalName", "externalName": "www.example.com"}},
               pod("client", container(orch.rootfs, "/bin/probe", "sleep")))
    orch.wait_ready(2)
    outside.run("ip", "route", "add", "198.51.100.7", "via", "192.0.2.1")
    assert in_netns(outside.pid, http_get, "198.51.100.7", 80)[0] == 200
    assert in_netns(outside.pid, http_get, "192.0.2.1", 30091)[0] == 200
    assert "hi" in orch.exec("client", "/bin/probe", "connect", "198.51.100.7", "80").stdout
    assert not orch.get("services", "web").get("status", {}).get("loadBalancer")
    assert "clusterIP" not in orch.get("services", "far")["spec"]
    table = orch.ctl("get", "services").stdout.splitlines()
    assert [l.split()[:4] for l in table if l.startswith("far")] == \
        [["far", "ExternalName", "<none>", "www.example.com"]]
    assert [l.split()[3] for l in table if l.startswith("web")] == ["198.51.100.7"]
    told = orch.ctl("describe", "services").stdout.splitlines()
    assert [l.split()[2] for l in told if l.startswith("External ")
            and "Policy" not in l] == ["www.example.com", "198.51.100.7"]
    orch.wait_settled()
