# SPDX-License-Identifier: GPL-2.0-or-later
"""What the runtime makes of a pod, with the host's own programs as the image: what is hidden, what
devices are worth, where volumes lead, what a restart finds, what is left."""

import glob
import os
import shutil
import tempfile

import pytest

from harness import container, container_status, pod, start_time, state, wait_for


def script(text, **more):
    return container("/", "/bin/sh", "-c", text, **more)


@pytest.fixture
def bare():
    """A root without anything but links that lead nowhere; programs come from volumes."""
    d = tempfile.mkdtemp(prefix="orch-bare.", dir=os.environ.get("ORCH_TEST_TMP", "/tmp"))
    os.chmod(d, 0o755)
    os.mkdir(f"{d}/etc")
    os.symlink("../run/none/resolv.conf", f"{d}/etc/resolv.conf")
    os.symlink("/nowhere", f"{d}/etc/hostname")
    yield d
    shutil.rmtree(d)


def host_programs():
    """Volumes and mounts that bring the host's programs into a bare root."""
    real = {name: os.path.realpath(name) for name in ("/usr", "/lib", "/lib64", "/bin")
            if os.path.exists(name)}
    return ([{"name": name[1:], "hostPath": {"path": path}} for name, path in real.items()],
            [{"name": name[1:], "mountPath": name} for name in real])


def test_own_directories_are_hidden(orch):
    secret = os.path.join(orch.config, "hidden.txt")
    with open(secret, "w") as f:
        f.write("not for containers")
    _, text = orch.run_to_end("look", script(
        f"ls -A {orch.config} {orch.state} {orch.run_dir} {orch.logs}; cat {secret}; exit 0"))
    listed = [l for l in text.splitlines() if l and not l.endswith(":") and "No such" not in l]
    assert listed == [], text
    assert "not for containers" not in text


def test_device_nodes_are_worth_nothing(orch):
    _, text = orch.run_to_end("nodes", script(
        "for d in /tmp /dev /dev/shm /v; do mknod $d/n c 1 5 && head -c 1 $d/n; done; "
        "head -c 3 /dev/zero | od -An -tx1", volumeMounts=[{"name": "v", "mountPath": "/v"}]),
        volumes=[{"name": "v", "emptyDir": {}}])
    assert text.count("Permission denied") == 4, text
    assert "00 00 00" in text	# those that belong there work


def test_links_of_an_image_that_lead_nowhere(orch, bare):
    volumes, mounts = host_programs()
    orch.write("links.yaml", pod("links", container(
        bare, "/bin/sh", "-c", "cat /etc/resolv.conf /etc/hostname /etc/hosts; ls /",
        volumeMounts=mounts), restartPolicy="Never", volumes=volumes))
    p = wait_for(lambda: (orch.pod("links") or {}).get("status", {}).get("phase") == "Succeeded" and
                 orch.pod("links"))
    text = orch.log_text(p, "main")
    assert "search default.svc.cluster.local" in text
    assert "\nlinks\n" in text and f"{p['status']['podIP']}\tlinks" in text
    # nothing was made in the image itself, nor beside it
    assert sorted(os.listdir(bare)) == ["etc"]
    assert not os.path.exists("/nowhere")


def test_sub_paths_stay_inside(orch):
    outside = os.path.join(orch.dir, "outside")
    shared = os.path.join(orch.dir, "shared")
    os.mkdir(outside)
    os.mkdir(shared)
    os.symlink(outside, os.path.join(shared, "link"))
    orch.write("sub.yaml", pod("sub", script("touch /h/here", volumeMounts=[
        {"name": "h", "mountPath": "/h", "subPath": "link/x"}]), restartPolicy="Never",
        volumes=[{"name": "h", "hostPath": {"path": shared}}]))
    p = wait_for(lambda: (orch.pod("sub") or {}).get("status", {}).get("phase") == "Failed" and
                 orch.pod("sub"))
    # inside the volume the link leads to what is not there
    assert "subPath link/x" in str(container_status(p))
    assert os.listdir(outside) == [] and os.listdir(shared) == ["link"]


def test_sub_paths_are_made(orch):
    _, text = orch.run_to_end("made", script(
        "touch /e/here /m/here; find /all -mindepth 1 | sort; stat -f -c %T /m",
        volumeMounts=[{"name": "e", "mountPath": "/e", "subPath": "a/b"},
                      {"name": "e", "mountPath": "/all"},
                      {"name": "m", "mountPath": "/m", "subPath": "deep/er"}]),
        volumes=[{"name": "e", "emptyDir": {}},
                 {"name": "m", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}])
    assert text.split() == ["/all/a", "/all/a/b", "/all/a/b/here", "tmpfs"]


def test_host_path_that_is_not_there(orch):
    orch.write("h.yaml", pod("h", script("echo run", volumeMounts=[
        {"name": "h", "mountPath": "/h"}]), restartPolicy="Never",
        volumes=[{"name": "h", "hostPath": {"path": f"{orch.dir}/none", "type": "Directory"}}]))
    p = wait_for(lambda: "message" in str(container_status(orch.pod("h") or {})) and orch.pod("h"))
    waiting = container_status(p)["state"]["waiting"]
    text = (f'MountVolume.SetUp failed for volume "h" : hostPath type check failed: '
            f'{orch.dir}/none is not a directory')
    assert (waiting["reason"], waiting["message"]) == ("ContainerCreating", text)
    assert p["status"]["phase"] == "Pending"
    wait_for(lambda: ("FailedMount", text) in
             [(e["reason"], e["message"]) for e in orch.api("/api/v1/events")["items"]])
    assert not os.path.exists(f"{orch.dir}/none")

    os.mkdir(f"{orch.dir}/none")		# tried again by itself, and nothing was a restart
    p = wait_for(lambda: (p := orch.pod("h"))["status"]["phase"] == "Succeeded" and p)
    assert container_status(p)["restartCount"] == 0


def test_restart_finds_a_fresh_root_and_the_same_volume(orch):
    orch.write("again.yaml", pod("again", script(
        "ls /var/tmp/mark /e; touch /var/tmp/mark /e/mark; exit 1",
        volumeMounts=[{"name": "e", "mountPath": "/e"}]), volumes=[{"name": "e", "emptyDir": {}}]))
    p = wait_for(lambda: container_status(orch.pod("again") or {}).get("restartCount") == 1 and
                 state(orch.pod("again"))[0] == "waiting" and orch.pod("again"))
    second = orch.log_text(p, "main", 1)
    assert "cannot access '/var/tmp/mark'" in second and "mark" in second.splitlines()[-1]
    uid = p["metadata"]["uid"]
    wait_for(lambda: len(glob.glob(f"{orch.state}/pods/{uid}/main.*.upper")) == 1, 5,
             "the first writable layer is removed")


def test_environment_survives_a_restart_of_orchd(orch):
    orch.write("env.yaml", pod("env", script("exec sleep 600",
                                             env=[{"name": "GIVEN", "value": "kept $(HOSTNAME)"}])))
    wait_for(lambda: state(orch.pod("env") or {})[0] == "running")
    orch.restart()
    wait_for(lambda: state(orch.pod("env") or {})[0] == "running")
    seen = orch.exec("env", "/usr/bin/env").stdout
    assert "GIVEN=kept $(HOSTNAME)" in seen	# nobody defined it in the manifest
    assert "HOSTNAME=env" in seen and "PATH=" in seen and "HOME=/root" in seen


def test_removed_pod_leaves_nothing(orch):
    orch.write("gone.yaml", pod("gone", script("exec sleep 600",
                                               volumeMounts=[{"name": "e", "mountPath": "/e"}]),
                                volumes=[{"name": "e", "emptyDir": {}}]))
    p = orch.wait_running("gone")
    uid, shim = p["metadata"]["uid"], orch.shims()[0]
    orch.remove("gone.yaml")
    orch.apply(allowDelete=-1)
    wait_for(lambda: not orch.pod("gone"), 10)
    assert start_time(shim) is None
    wait_for(lambda: not glob.glob(f"{orch.dir}/*/*/{uid}") + glob.glob(f"{orch.dir}/log/*{uid}"), 3,
             "directories are removed")
    assert not orch.cgroups(uid)
