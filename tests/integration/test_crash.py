# SPDX-License-Identifier: GPL-2.0-or-later
"""kill -9 of orchd at any time: no container is disturbed, no log line or exit code lost, the next
start adopts what runs and finds nothing to do."""

import contextlib
import os
import random
import signal
import time

import pytest

from harness import (cmdline, container, container_status, deployment, is_ready, pod, service,
                     start_time, state, wait_for)

READY = {"httpGet": {"port": 8080}, "periodSeconds": 1}
KILLS = int(os.environ.get("ORCH_TEST_KILLS", "200"))


@pytest.mark.v2
@pytest.mark.subset
def test_adoption_plans_nothing(orch):
    orch.write("web.yaml", service("web", 80, 8080),
               deployment("web", 3, container(orch.rootfs, "/bin/probe", "listen", "8080", "v1",
                                              readinessProbe=READY)),
               pod("single", container(orch.rootfs, "/bin/probe", "sleep")))
    orch.wait_ready(4)
    orch.wait_settled()
    before = orch.all_pids()
    names = {p["metadata"]["uid"] for p in orch.pods()}
    for end in (orch.kill9, orch.stop):
        end()
        assert orch.all_pids() == before
        orch.start()
        assert "adopted 4" in orch.log()
        wait_for(lambda: orch.status()["settled"], 5)
        r = orch.ctl("plan", "--detailed-exitcode", check=False)
        assert r.returncode == 0, r.stdout
        assert orch.all_pids() == before
        assert {p["metadata"]["uid"] for p in orch.pods()} == names
        assert all(is_ready(p) for p in orch.pods())
    restarts = [container_status(p)["restartCount"] for p in orch.pods()]
    assert restarts == [0] * 4


def test_the_first_answer_has_the_pods(orch):
    """Not an empty list, which a client would take for the truth."""
    orch.write("p.yaml", pod("p", container(orch.rootfs, "/bin/probe", "sleep")))
    orch.wait_settled()
    for _ in range(5):
        orch.kill9()
        orch.start(wait=False)

        def first():
            with contextlib.suppress(OSError):
                return {"items": orch.pods()}
        assert [p["metadata"]["name"] for p in wait_for(first, 15, every=0)["items"]] == ["p"]


@pytest.mark.v2
def test_log_is_complete_across_kills(orch):
    orch.write("t.yaml", pod("ticks", container(orch.rootfs, "/bin/probe", "ticker", "2000")))
    p = orch.wait_running("ticks")
    for _ in range(5):
        time.sleep(0.1)
        orch.kill9()
        time.sleep(0.1)
        orch.start()
    os.kill(min(orch.pids(p, "main")), signal.SIGTERM)
    wait_for(lambda: container_status(orch.pod("ticks")).get("restartCount", 0) >= 1, 10)
    lines = [t for _, _, t in orch.container_log(p, "main")]
    assert len(lines) > 200
    assert lines == [f"tick {i}" for i in range(len(lines))]


@pytest.mark.v2
@pytest.mark.subset
def test_exit_code_is_recorded_while_orchd_is_dead(orch):
    orch.write("p.yaml", pod("p", container(orch.rootfs, "/bin/probe", "sleep"),
                             container(orch.rootfs, "/bin/probe", "sleep", name="other"),
                             restartPolicy="Never"))
    p = wait_for(lambda: state(orch.pod("p") or {}, "main")[0] == "running" and
                 state(orch.pod("p"), "other")[0] == "running" and orch.pod("p"))
    main, other = min(orch.pids(p, "main")), min(orch.pids(p, "other"))
    orch.kill9()
    os.kill(main, signal.SIGKILL)
    os.kill(other, signal.SIGTERM)	# ends with 0
    wait_for(lambda: start_time(main) is None and start_time(other) is None, 5)
    orch.start()
    p = wait_for(lambda: orch.pod("p")["status"]["phase"] == "Failed" and orch.pod("p"), 10)
    assert state(p, "main")[1]["exitCode"] == 137
    assert state(p, "other")[1]["exitCode"] == 0
    assert "woken" in orch.log_text(p, "other")


def test_shim_killed_means_the_pod_is_made_anew(orch):
    orch.write("p.yaml", pod("p", container(orch.rootfs, "/bin/probe", "sleep")))
    p = wait_for(lambda: is_ready(orch.pod("p") or {"metadata": {}}) and orch.pod("p"))
    pid = min(orch.pids(p, "main"))
    shim, = orch.shims()
    os.kill(shim, signal.SIGKILL)
    wait_for(lambda: start_time(pid) is None, 5, "its containers go with it")
    wait_for(lambda: orch.shims() and orch.shims() != [shim] and
             is_ready(orch.pod("p") or {"metadata": {}}), 20)


def nurseries(orch):
    """What orchd has shims born by."""
    pids = []
    for p in (int(p) for p in os.listdir("/proc") if p.isdigit()):
        with contextlib.suppress(OSError), open(f"/proc/{p}/comm") as f:
            if f.read() == "orch-nursery\n" and orch.dir.encode() in cmdline(p):
                pids.append(p)
    return pids


@pytest.mark.v2
def test_shims_are_born_whatever_happens_to_their_nursery(orch):
    def start(name):
        orch.write(f"{name}.yaml", pod(name, container(orch.rootfs, "/bin/probe", "sleep")))
        wait_for(lambda: (p := orch.pod(name)) and is_ready(p), 20, name)
        return orch.pod(name)["metadata"]["uid"]

    def shim_of(uid):
        return next(p for p in orch.shims() if uid.encode() in cmdline(p))

    uids = [start("first"), start("second")]
    nursery, = nurseries(orch)
    with open(f"/proc/{shim_of(uids[1])}/status") as f:
        status = f.read()
    assert f"PPid:\t{orch.orchd.pid}\n" in status and "Name:\torch-shim\n" in status
    assert os.readlink(f"/proc/{shim_of(uids[1])}/ns/pid") == os.readlink("/proc/self/ns/pid")

    os.kill(nursery, signal.SIGKILL)
    wait_for(lambda: start_time(nursery) is None, 5, "the nursery is gone")
    uids.append(start("third"))
    assert nurseries(orch) == []	# that one was executed
    uids.append(start("fourth"))
    nursery, = nurseries(orch)

    os.kill(nursery, signal.SIGSTOP)	# and this one after some patience
    uids.append(start("fifth"))
    wait_for(lambda: not nurseries(orch), 5, "the stopped nursery is gone")
    uids.append(start("sixth"))
    before = orch.all_pids()
    orch.kill9()
    wait_for(lambda: not nurseries(orch), 5, "the nursery ends with orchd")
    assert orch.all_pids() == before and {shim_of(u) for u in uids} == set(orch.shims())
    orch.start()
    assert "adopted 6" in orch.log()


def test_pods_survive_a_restart_while_they_stop(orch):
    orch.write("p.yaml", pod("p", container(orch.rootfs, "/bin/probe", "sleep", "--stubborn"),
                             terminationGracePeriodSeconds=3))
    p = wait_for(lambda: is_ready(orch.pod("p") or {"metadata": {}}) and orch.pod("p"))
    pid = min(orch.pids(p, "main"))
    orch.remove("p.yaml")
    orch.apply(allowDelete=-1)
    wait_for(lambda: orch.pod("p") and orch.pod("p")["metadata"].get("deletionTimestamp"), 5)
    orch.kill9()
    assert start_time(pid)
    orch.start()
    wait_for(lambda: not orch.pod("p"), 15)
    assert start_time(pid) is None


def version(orch, n):
    orch.write("web.yaml", service("web", 80, 8080),
               deployment("web", 3, container(orch.rootfs, "/bin/probe", "listen", "8080", f"r{n}",
                                              readinessProbe=READY)))


@pytest.mark.v2
@pytest.mark.subset
def test_kills_at_random_moments_of_a_rollout(orch):
    """orchd is killed over and over while versions roll; the service answers throughout, the
    last version is what runs in the end, and nothing is left of the others."""
    rng = random.Random(7)
    version(orch, 0)
    orch.wait_ready(3, app="web")
    orch.wait_settled()
    vip = orch.get("services", "web")["spec"]["clusterIP"]
    last = 0
    with orch.client(vip, 80, pause=0.02) as c:
        for i in range(KILLS):
            if i % 8 == 0:
                last += 1
                version(orch, last)
            # most moments are early, where a pass is under way; some are later
            time.sleep(rng.choice((0.01, 0.03, 0.1, 0.3)) * rng.random())
            orch.kill9()
            orch.start(wait=False)
            if i % 20 == 19:
                orch.wait_up()
        orch.wait_up()
        orch.wait_rollout("web")
        orch.wait_settled(60)
    assert not c.failures(), c.failures()[:3]
    pods = orch.wait_ready(3, app="web")
    assert {p["spec"]["containers"][0]["command"][3] for p in pods} == {f"r{last}"}
    uids = {p["metadata"]["uid"] for p in pods}
    assert len(orch.shims()) == 3
    assert set(os.listdir(f"{orch.run_dir}/pods")) == uids
    assert set(os.listdir(f"{orch.state}/pods")) == uids
    links = [l for l in orch.ns.run("ip", "-o", "link").stdout.splitlines() if ": lo:" not in l]
    assert len(links) == 3, links
    for root in orch.cgroups():
        kept = {d for d in os.listdir(root) if d.startswith("pod")}
        assert kept == {f"pod{u}" for u in uids}, root
    assert orch.plan()["empty"]
