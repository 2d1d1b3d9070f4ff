# SPDX-License-Identifier: GPL-2.0-or-later
"""What a pod shares with the node and what its containers may, as the kernel sees it."""

import json
import os

import pytest

from harness import container, pod, service, start_time, state, wait_for


def runs(orch, name, *containers, **more):
    orch.write(f"{name}.yaml", pod(name, *containers, **more))
    return orch.wait_running(name)


def facts(text):
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


# ---- namespaces of the node ----

@pytest.mark.v2
@pytest.mark.subset
def test_host_network(orch):
    text = orch.script("p", "readlink /proc/self/ns/net; hostname; cat /etc/hosts /etc/resolv.conf",
                       spec={"hostNetwork": True})
    netns = os.readlink(f"/proc/{orch.orchd.pid}/ns/net")
    p = orch.pod("p")
    assert text.splitlines()[0] == netns
    assert text.splitlines()[1] == p["spec"]["nodeName"]
    assert p["status"]["podIP"] == p["status"]["hostIP"]
    assert "Managed by orch" not in text and "svc.cluster.local" not in text
    orch.remove("p.yaml")
    orch.apply(allowDelete=-1)
    wait_for(lambda: orch.pod("p") is None)
    fresh = runs(orch, "q", container(orch.rootfs, "/bin/probe", "sleep"))
    assert fresh["status"]["podIP"] != fresh["status"]["hostIP"]


@pytest.mark.v2
def test_a_service_leads_to_a_pod_in_the_host_network(orch):
    orch.write("s.yaml", service("web", 80, 8099, app="web"),
               pod("web", container(orch.rootfs, "/bin/probe", "listen", "8099", "from-the-node",
                                    readinessProbe={"tcpSocket": {"port": 8099}, "periodSeconds": 1}),
                   labels={"app": "web"}, hostNetwork=True))
    wait_for(lambda: (orch.get("endpoints", "web") or {}).get("subsets", [{}])[0].get("addresses"),
             15, "the pod is an endpoint")
    ip = orch.get("services", "web")["spec"]["clusterIP"]
    orch.wait_settled()
    assert "from-the-node" in orch.http(ip, 80)[1]
    orch.kill9()
    orch.start()
    assert orch.plan()["empty"]
    assert "from-the-node" in orch.http(ip, 80)[1]


@pytest.mark.v2
def test_host_pid_and_what_becomes_of_its_processes(orch):
    p = runs(orch, "p", container("/", "/bin/sh", "-c", "sleep 1234 & echo pid=$$$$; wait"),
             hostPID=True)
    text = wait_for(lambda: orch.log_text(p, "main"))
    pid = int(facts(text)["pid"])
    assert os.readlink(f"/proc/{pid}/ns/pid") == os.readlink("/proc/self/ns/pid")
    members = orch.pids(p, "main")
    assert pid in members and len(members) == 2
    os.kill(pid, 9)
    wait_for(lambda: orch.pod("p")["status"]["containerStatuses"][0]["restartCount"] == 1
             and state(orch.pod("p"))[0] == "running", 10, "it runs again")
    assert not any(os.path.exists(f"/proc/{m}") and m != 0 for m in members)


@pytest.mark.v2
def test_host_ipc(orch):
    mine = os.readlink(f"/proc/{orch.orchd.pid}/ns/ipc")
    assert orch.script("shared", "readlink /proc/self/ns/ipc", spec={"hostIPC": True}) == mine
    assert orch.script("own", "readlink /proc/self/ns/ipc") != mine


@pytest.mark.v2
@pytest.mark.subset
def test_shared_process_namespace(orch):
    p = runs(orch, "p", container("/", "/bin/sh", "-c", "exec sleep 4321", name="main"),
             container("/", "/bin/sh", "-c",
                       "sleep 0.5; ps ax -o pid=,args=; sleep 77 & sleep 1000", name="other"),
             shareProcessNamespace=True)
    text = wait_for(lambda: "sleep 4321" in orch.log_text(p, "other")
                    and orch.log_text(p, "other"), 10, "one sees the other")
    assert not any(line.split(None, 1)[0] == "1" and "sleep" in line for line in text.splitlines())
    members = wait_for(lambda: len(m := orch.pids(p, "other")) >= 2 and m, 10, "shell and sleeps")
    old = [(m, start_time(m)) for m in members]
    victim = next(m for m in members if b"sh" in open(f"/proc/{m}/cmdline", "rb").read())
    os.kill(victim, 9)
    wait_for(lambda: next(s for s in orch.pod("p")["status"]["containerStatuses"]
                          if s["name"] == "other")["restartCount"] == 1, 10)
    wait_for(lambda: not any(t and start_time(m) == t for m, t in old), 5, "the others go, too")
    assert next(s for s in orch.pod("p")["status"]["containerStatuses"]
                if s["name"] == "main")["restartCount"] == 0
    assert "sleep" in orch.exec("p", "ps", "ax", container="main").stdout


# ---- rights ----

@pytest.mark.v2
@pytest.mark.subset
def test_privileged(orch):
    script = ("grep -E 'CapEff|NoNewPrivs|Seccomp:' /proc/self/status; "
              "mount -t tmpfs none /mnt && echo mounted; echo 1 > /proc/sys/net/ipv4/ip_forward && "
              "echo written; mknod /root/zero c 1 5 && head -c 1 /root/zero | wc -c; ls /dev")
    text = orch.script("p", script, securityContext={"privileged": True})
    lines = text.split()
    every = open("/proc/self/status").read().split("CapBnd:")[1].split()[0]
    status = dict(zip(lines[0:6:2], lines[1:6:2]))
    assert int(status["CapEff:"], 16) == int(every, 16)
    assert (status["NoNewPrivs:"], status["Seccomp:"]) == ("0", "0")
    assert "mounted" in lines and "written" in lines and "1" in lines
    beside = orch.script("q", script)
    assert "mounted" not in beside and "written" not in beside


@pytest.mark.v2
def test_privilege_escalation_and_filters(orch):
    status = "grep -E 'NoNewPrivs|Seccomp:' /proc/self/status"
    def of(name, **context):
        words = orch.script(name, status, securityContext=context).split()
        return words[1], words[3]
    assert of("plain") == ("1", "2")
    assert of("may", allowPrivilegeEscalation=True) == ("0", "2")
    assert of("open", seccompProfile={"type": "Unconfined"}) == ("1", "0")
    assert of("default", seccompProfile={"type": "RuntimeDefault"}) == ("1", "2")
    words = orch.script("pod", status, spec={
        "securityContext": {"seccompProfile": {"type": "Unconfined"}}}).split()
    assert words[3] == "0"


@pytest.mark.v2
def test_groups(orch):
    def groups(name, **context):
        return sorted(int(g) for g in orch.script(name, "id -G", spec={
            "securityContext": context}).split())
    assert groups("none") == [0]
    assert groups("some", supplementalGroups=[3000, 4000], fsGroup=2000) == [0, 2000, 3000, 4000]
    assert groups("own", runAsUser=1000, runAsGroup=1001, supplementalGroups=[3000]) == [1001, 3000]


@pytest.mark.v2
def test_the_shim_keeps_what_only_privileged_containers_get(orch):
    def bounding(name, **context):
        runs(orch, name, container(orch.rootfs, "/bin/probe", "sleep", securityContext=context))
        uid = orch.pod(name)["metadata"]["uid"]
        pid = next(p for p in orch.shims() if uid in open(f"/proc/{p}/cmdline").read())
        return int(open(f"/proc/{pid}/status").read().split("CapBnd:")[1].split()[0], 16)
    never = sum(1 << cap for cap in (16, 17, 22, 32, 33))      # modules, raw I/O, reboot, MAC
    assert not bounding("plain") & never
    assert bounding("all", privileged=True) & 1 << 16


# ---- kernel parameters, names ----

@pytest.mark.v2
def test_sysctls(orch):
    text = orch.script(
        "p", "cat /proc/sys/net/ipv4/ip_local_port_range /proc/sys/kernel/shm_rmid_forced",
        spec={"securityContext": {"sysctls": [
            {"name": "net.ipv4.ip_local_port_range", "value": "20000 20010"},
            {"name": "kernel.shm_rmid_forced", "value": "1"}]}})
    assert text.split() == ["20000", "20010", "1"]
    orch.write("bad.yaml", pod("bad", container("/", "/bin/true"), securityContext={
        "sysctls": [{"name": "kernel.panic", "value": "1"}]}))
    wait_for(lambda: "forbidden sysctl" in orch.ctl("events").stdout, 10, "it is refused")


@pytest.mark.v2
def test_more_sysctls_by_a_setting(orch):
    orch.configure(allowedUnsafeSysctls=["net.core.somaxconn", "kernel.msg*"])
    orch.restart()
    text = orch.script(
        "p", "cat /proc/sys/net/core/somaxconn /proc/sys/kernel/msgmax",
        spec={"securityContext": {"sysctls": [{"name": "net.core.somaxconn", "value": "77"},
                                              {"name": "kernel.msgmax", "value": "9999"}]}})
    assert text.split() == ["77", "9999"]
    orch.write("bad.yaml", pod("bad", container("/", "/bin/true"), securityContext={
        "sysctls": [{"name": "net.core.somaxconn2", "value": "1"}]}))
    wait_for(lambda: 'forbidden sysctl: "net.core.somaxconn2"' in orch.ctl("events").stdout, 10,
             "it is refused")


# ---- seccomp profiles of the node ----

@pytest.mark.v2
@pytest.mark.subset
def test_a_profile_of_the_node(orch):
    """The container's own wins over the pod's; commands in it have the same."""
    os.makedirs(f"{orch.state}/seccomp/profiles")
    with open(f"{orch.state}/seccomp/profiles/no-mkdir.json", "w") as f:
        json.dump({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]}, f)
    profile = {"type": "Localhost", "localhostProfile": "profiles/no-mkdir.json"}
    orch.write("p.yaml", pod("p", container("/", "/bin/sh", "-c", "mkdir /tmp/x; sleep 1000"),
                             container("/", "/bin/sh", "-c", "mkdir /tmp/x && echo made; sleep 1000",
                                       name="free", securityContext={
                                           "seccompProfile": {"type": "RuntimeDefault"}}),
                             securityContext={"seccompProfile": profile}))
    p, = orch.wait_ready(1)
    wait_for(lambda: "No space left on device" in orch.log_text(p, "main"), 10, "mkdir is refused")
    wait_for(lambda: "made" in orch.log_text(p, "free"), 10, "elsewhere it is not")
    r = orch.ctl("exec", "p", "-c", "main", "--", "/bin/mkdir", "/tmp/y", check=False)
    assert r.returncode == 1 and "No space left on device" in r.stderr


@pytest.mark.v2
def test_a_profile_that_is_wrong_is_told_and_tried_again(orch):
    os.makedirs(f"{orch.state}/seccomp")
    path = f"{orch.state}/seccomp/p.json"
    orch.write("p.yaml", pod("p", container("/", "/bin/sleep", "1000"), securityContext={
        "seccompProfile": {"type": "Localhost", "localhostProfile": "p.json"}}))
    wait_for(lambda: "seccomp/p.json: No such file" in orch.ctl("events").stdout, 10, "it is missing")
    with open(path, "w") as f:
        f.write('{"defaultAction": "SCMP_ACT_ALLOW"}')
    orch.wait_ready(1, timeout=40)


@pytest.mark.v2
def test_the_host_name_with_its_domain(orch):
    assert orch.script("p", "hostname", spec={
        "hostname": "web", "subdomain": "sub", "setHostnameAsFQDN": True}) \
        == "web.sub.default.svc.cluster.local"
    assert orch.script("q", "hostname", spec={"hostname": "web", "subdomain": "sub"}) == "web"
