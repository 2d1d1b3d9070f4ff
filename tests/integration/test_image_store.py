# SPDX-License-Identifier: GPL-2.0-or-later
"""The image store against real tools: umoci and GNU tar unpack the same layers, skopeo reads what
is exported, and a store that is killed two hundred times is whole each time."""

import contextlib
import fcntl
import os
import random
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time

import pytest

from harness import BUILD, Orch, pod, state, wait_for
import oci_layers as oci

TOOL = f"{BUILD}/tests/helpers/image_store"
REF = "docker.io/test/image:1"


class Store:
    def __init__(self, path):
        self.path = path

    def run(self, *args, check=True):
        p = subprocess.run([TOOL, self.path, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           text=True)
        if check:
            assert p.returncode == 0, p.stderr
        return p

    def __call__(self, *args):
        return self.run(*args).stdout

    def fails(self, *args):
        p = self.run(*args, check=False)
        assert p.returncode == 1, (p.returncode, p.stdout, p.stderr)
        return p.stderr

    def files(self, *subs):
        out = set()
        for sub in subs:
            out |= {f"{sub}/{n}" for n in os.listdir(f"{self.path}/{sub}")}
        return out

    def everything(self):
        return self.files("blobs", "layers", "chains", "partial", "names", "pins", "new")


@pytest.fixture
def tmp():
    d = tempfile.mkdtemp(prefix="orch-images.", dir=os.environ.get("ORCH_TEST_TMP", "/tmp"))
    old = os.umask(0o022)
    try:
        yield d
    finally:
        os.umask(old)
        subprocess.run(["umount", f"{d}/merged"], stderr=subprocess.DEVNULL)
        shutil.rmtree(d)


@pytest.fixture
def store(tmp):
    return Store(f"{tmp}/store")


def merged(tmp, store, ref=REF):
    """The image as an overlay of its layers, mounted as containers do."""
    lowers = [os.path.relpath(p, store.path) for p in store("lowers", ref).split()]
    for d in ("merged", "empty"):
        os.makedirs(f"{tmp}/{d}", exist_ok=True)
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                    "ro,lowerdir=" + ":".join(lowers + [f"{tmp}/empty"]), f"{tmp}/merged"],
                   cwd=store.path, check=True)
    try:
        return oci.tree(f"{tmp}/merged")
    finally:
        subprocess.run(["umount", f"{tmp}/merged"], check=True)


def load(tmp, store, tars, ref=REF, tag="t", **how):
    path = f"{tmp}/{tag}.oci"
    layout = oci.Layout(path)
    digest = layout.image(tag, tars, **how)
    store("load", path, tag, ref)
    return path, digest


# ---- identity ----

def test_same_tree_as_umoci(tmp, store):
    path, _ = load(tmp, store, oci.all_layers(tmp))
    subprocess.run(["umoci", "unpack", "--image", f"{path}:t", f"{tmp}/bundle"], check=True,
                   stderr=subprocess.PIPE)
    theirs, ours = oci.tree(f"{tmp}/bundle/rootfs"), merged(tmp, store)
    sparse = [p for p in ours if ours[p]["holes"]]
    assert len(sparse) == 8	# umoci fills the holes
    for tree in (ours, theirs):
        for entry in tree.values():
            del entry["holes"]
    assert oci.differences(ours, theirs) == []
    assert len(ours) > 130


def test_same_tree_however_compressed(tmp, store):
    tars = [oci.base_layer(), oci.xattrs_layer(), oci.whiteouts_layer()]
    trees = []
    for how in ("gzip", "zstd", ""):
        load(tmp, store, tars, ref=f"x/y:{how or 'plain'}", tag=f"t{how}", compress=how)
        trees.append(merged(tmp, store, f"x/y:{how or 'plain'}"))
    assert len(trees[0]) > 40
    assert oci.differences(trees[0], trees[1]) == []
    assert oci.differences(trees[0], trees[2]) == []


@pytest.mark.parametrize("flags", [["--format=gnu"], ["--format=posix", "--sparse-version=0.0"],
                                   ["--format=posix", "--sparse-version=0.1"],
                                   ["--format=posix", "--sparse-version=1.0"]])
def test_sparse_files_as_gnu_tar_unpacks_them(tmp, store, flags):
    tar = oci.gnu_tar(tmp, oci.sparse_files("f"), *flags)
    os.mkdir(f"{tmp}/theirs")
    subprocess.run(["tar", "-C", f"{tmp}/theirs", "-xpf", "-"], input=tar, check=True)
    with open(f"{tmp}/tar", "wb") as f:
        f.write(tar)
    digest = store("blob", f"{tmp}/tar").strip()
    store("unpack", digest)
    ours = oci.tree(f"{store.path}/layers/{digest[7:23]}/tree")
    theirs = oci.tree(f"{tmp}/theirs")
    assert sum(e["holes"] for e in ours.values()) == 4
    del ours[b"/"], theirs[b"/"]
    assert oci.differences(ours, theirs) == []


def test_gzip_members_zstd_frames_and_padding(tmp, store):
    tar = oci.links_layer()
    blobs = [oci.compressed(tar[:700], "gzip")[0] + oci.compressed(tar[700:], "gzip")[0] + b"\0" * 77,
             oci.compressed(tar[:5000], "zstd")[0] + oci.compressed(tar[5000:], "zstd")[0]]
    for blob in blobs:
        with open(f"{tmp}/blob", "wb") as f:
            f.write(blob)
        out = store("unpack", store("blob", f"{tmp}/blob").strip())
        assert out.split()[2] == oci.sha256(tar)


def test_an_image_as_a_volume(tmp, rootfs):
    """Read-only, without programs, with the owners of the image also for a pod of other users; a
    volume of an image that cannot be had keeps its container waiting."""
    base = oci.Layer().dir("etc").add("etc/a", data=b"one", uid=5, gid=6).add("gone", data=b"x")
    base.add("run", data=b"#!/bin/sh\n", mode=0o755)
    oci.Layout(f"{tmp}/two.oci").image("t", [base.done(), oci.Layer().add("etc/b", data=b"two").add(".wh.gone").done()])
    oci.Layout(f"{tmp}/one.oci").image("t", [base.done()])
    script = ("exec 2>/dev/null; cat /two/etc/a /two/etc/b /one/etc/a /sub/b; echo; stat -c %u:%g /two/etc/a /one/etc/a; "
              "test -e /two/gone || echo whiteout; test -e /one/gone && echo there; "
              "touch /two/new || touch /one/new || touch /sub/new || echo read-only; /one/run || echo no-program")
    volumes = [{"name": n, "image": {"reference": f"oci:{tmp}/{n}.oci:t"}} for n in ("one", "two")]
    mounts = [{"name": "one", "mountPath": "/one"}, {"name": "two", "mountPath": "/two"},
              {"name": "two", "mountPath": "/sub", "subPath": "etc"}]
    orch = Orch(rootfs)
    try:
        orch.start()
        for name, spec in (("p", {}), ("own", {"hostUsers": False})):
            text = orch.script(name, script, spec={"volumes": volumes, **spec}, volumeMounts=mounts)
            assert text.split() == ["onetwoonetwo", "5:6", "5:6", "whiteout", "there", "read-only",
                                    "no-program"], name
        pins = f"{orch.state}/images/pins"
        uid = orch.pod("p")["metadata"]["uid"]
        assert {f"{uid}..one", f"{uid}..two"} <= set(os.listdir(pins))
        orch.remove("p.yaml")
        wait_for(lambda: orch.pod("p") is None, 20, "it is gone")
        assert not [n for n in os.listdir(pins) if n.startswith(uid)]
        orch.write("q.yaml", pod("q", {"name": "main", "image": f"rootfs:{rootfs}", "command": ["/bin/probe", "sleep"],
                                       "volumeMounts": [{"name": "v", "mountPath": "/v"}]},
                                 volumes=[{"name": "v", "image": {"reference": f"oci:{tmp}/none.oci:t"}}]))
        wait_for(lambda: state(orch.pod("q") or {})[1].get("reason") in ("ErrImagePull", "ImagePullBackOff"), 20)
    finally:
        orch.close()


def test_pull_policies(tmp, rootfs):
    """Of containers and of volumes, while a name comes to mean another image."""
    layout = oci.Layout(f"{tmp}/x.oci")

    def publish(word):
        with open(f"{rootfs}/bin/probe", "rb") as f:
            layer = oci.Layer().dir("bin").add("bin/probe", data=f.read(), mode=0o755)
        layout.manifests.clear()
        layout.image("t", [layer.add("word", data=word).done()])

    def user(name, policy, volume_policy, image=f"oci:{tmp}/x.oci:t"):
        return pod(name, {"name": "main", "image": image, "imagePullPolicy": policy,
                          "command": ["/bin/probe", "sleep"],
                          "volumeMounts": [{"name": "v", "mountPath": "/v"}]},
                   volumes=[{"name": "v", "image": {"reference": f"oci:{tmp}/x.oci:t",
                                                    "pullPolicy": volume_policy}}])
    publish(b"old")
    orch = Orch(rootfs)

    def sees(name):
        p = orch.wait_running(name)
        words = []
        for path in ("word", "v/word"):
            with open(f"/proc/{min(orch.pids(p, 'main'))}/root/{path}") as f:
                words.append(f.read())
        return words
    try:
        orch.start()
        orch.write("a.yaml", user("never", "Never", "Never"),
                   user("no-volume", "Never", "Never", f"rootfs:{rootfs}"))
        for name in ("never", "no-volume"):
            wait_for(lambda: state(orch.pod(name) or {})[1].get("reason") == "ErrImageNeverPull", 20)
        orch.write("b.yaml", user("first", "IfNotPresent", "Never"))
        assert sees("first") == sees("never") == ["old", "old"]
        publish(b"new")
        orch.write("c.yaml", user("second", "IfNotPresent", "Never"))
        assert sees("second") == ["old", "old"]
        orch.write("d.yaml", user("volume", "Never", "Always"))
        assert sees("volume")[1] == "new"
        orch.write("e.yaml", user("always", "Always", "Never"))
        assert sees("always") == ["new", "new"] and sees("second") == ["old", "old"]
    finally:
        orch.close()


def test_root_of_an_image(tmp, rootfs):
    """Its owner and mode are those of the container's root, too."""
    with open(f"{rootfs}/bin/probe", "rb") as f:
        base = oci.Layer().dir(".", mode=0o1711, uid=7, gid=8).dir("bin").add(
            "bin/probe", data=f.read(), mode=0o755)
    oci.Layout(f"{tmp}/root.oci").image("t", [base.done(), oci.Layer().add("x").done()])
    orch = Orch(rootfs)
    try:
        orch.start()
        orch.write("p.yaml", pod("p", {"name": "main", "image": f"oci:{tmp}/root.oci:t",
                                       "command": ["/bin/probe", "sleep"]}))
        wait_for(lambda: orch.pod("p") and state(orch.pod("p"))[0] == "running", 30, "it runs")
        st = os.stat(f"/proc/{min(orch.pids(orch.pod('p'), 'main'))}/root/")
        assert (oct(st.st_mode), st.st_uid, st.st_gid) == ("0o41711", 7, 8)
    finally:
        orch.close()


@pytest.mark.parametrize("users", [True, False])
def test_volumes_of_an_image_can_be_written(tmp, rootfs, users):
    """Also where the root is read-only, and with what the layers have there."""
    with open(f"{rootfs}/bin/probe", "rb") as f:
        base = oci.Layer().dir("bin").add("bin/probe", data=f.read(), mode=0o755).dir("etc")
    base.dir("data").add("data/there", data=b"yes\n")
    oci.Layout(f"{tmp}/v.oci").image("t", [base.done()], config={"Volumes": {"/data": {}, "/new": {}}})
    orch = Orch(rootfs)
    try:
        orch.start()
        orch.write("p.yaml", pod("p", {
            "name": "main", "image": f"oci:{tmp}/v.oci:t", "command": ["/bin/probe", "sleep"],
            "securityContext": {"readOnlyRootFilesystem": True}}, hostUsers=users))
        wait_for(lambda: orch.pod("p") and state(orch.pod("p"))[0] == "running", 30, "it runs")
        for path, result in (("/data/x", "OK"), ("/new/x", "OK"), ("/etc/x", "EROFS")):
            said = orch.exec("p", "/bin/probe", "write", path, "x", check=False).stdout
            assert ("EROFS" in said) == (result == "EROFS"), (path, said)
        assert "line=yes" in orch.exec("p", "/bin/probe", "read", "/data/there").stdout
        assert "line=x" in orch.exec("p", "/bin/probe", "read", "/new/x").stdout
    finally:
        orch.close()


def test_directories_that_layers_imply(tmp, store):
    """A layer that names etc/motd alone does not change what a lower one says of etc; nor does it
    bring back a directory that a higher one has removed."""
    base = oci.Layer().dir("etc", mode=0o751, uid=3, gid=4, mtime=100).dir("srv", mode=0o700, uid=5)
    base.dir("srv/a", mode=0o711, mtime=5, pax={"SCHILY.xattr.user.k": "v"})
    motd = oci.Layer().add("etc/motd", data=b"m").add("srv/a/file", data=b"f")
    gone = oci.Layer().add(".wh.srv")
    load(tmp, store, [base.done(), motd.done()], ref="x:1", tag="a")
    tree = merged(tmp, store, "x:1")
    assert tree[b"/etc"]["mode"] == "0o40751" and tree[b"/etc"]["owner"] == (3, 4)
    assert tree[b"/etc"]["mtime"] == 100 * 10**9
    assert tree[b"/srv/a"]["mode"] == "0o40711" and tree[b"/srv/a"]["xattrs"] == {"user.k": b"v"}
    assert tree[b"/srv"]["owner"] == (5, 0)
    load(tmp, store, [base.done(), motd.done(), gone.done()], ref="x:2", tag="b")
    tree = merged(tmp, store, "x:2")
    assert b"/srv" not in tree and tree[b"/etc"]["mode"] == "0o40751"


def linked_layers():
    """Directories that are links below, and only implied above: what is in them goes where they
    lead."""
    old = {"uid": 3, "gid": 4, "mtime": 100}
    base = oci.Layer().dir(".", mtime=9).dir("usr", mode=0o751, **old)
    base.dir("usr/bin", mode=0o711, **old).dir("srv", **old)
    base.add("usr/bin/sh", data=b"sh").add("usr/bin/old", data=b"o").dir("usr/lib", **old)
    base.symlink("bin", "usr/bin").symlink("lib", "/usr/lib", uid=9).symlink("opt", "srv")
    base.symlink("sbin", "bin").symlink("lost", "no/where").dir("deep").symlink("deep/up", "../usr")
    over = oci.Layer().add("bin/new", data=b"1", uid=5).add("bin/.wh.old").add("sbin/init", data=b"i")
    over.add("lib/x/y", data=b"y").dir("opt", mode=0o700, mtime=50).add("opt/f", data=b"f")
    over.add("deep/up/lib/z", data=b"z").link("deep/up/lib/zz", "deep/up/lib/z")
    top = oci.Layer().add("usr/bin/new", data=b"2").add("bin/sh", data=b"newer", mode=0o755)
    top.dir("usr/lib/x", mode=0o700, mtime=77).add("usr/lib/x/.wh..wh..opq").add("usr/lib/x/only")
    top.dir("usr/lib", mode=0o750, mtime=60)	# last: umoci does not keep its time at what is opaque
    return [base.done(), over.done(), top.done()]


def test_links_that_an_implied_directory_does_not_hide(tmp, store):
    tars = linked_layers()
    path, _ = load(tmp, store, tars)
    subprocess.run(["umoci", "unpack", "--image", f"{path}:t", f"{tmp}/bundle"], check=True,
                   stderr=subprocess.PIPE)
    ours, theirs = merged(tmp, store), oci.tree(f"{tmp}/bundle/rootfs")
    assert oci.differences(ours, theirs) == []
    assert b"/usr/bin/new" in ours and b"/usr/lib/z" in ours and b"/usr/bin/old" not in ours
    assert len(store("lowers", REF).split()) == 1
    # the layers are as they were, and files are not there twice
    st = os.stat(f"{store('lowers', REF).strip()}/usr/bin/sh")
    assert st.st_nlink == 2
    load(tmp, store, tars[:1], ref="x:1", tag="a")
    assert sorted(oci.tree(store("lowers", "x:1").strip())[b"/usr/bin"].items()) == sorted(
        merged(tmp, store, "x:1")[b"/usr/bin"].items())
    store("gc", "all")
    assert store.everything() == set()


# ---- hostile layers ----

def hostile():
    layer = oci.Layer
    raw, end = oci.raw_header, oci.END
    good = layer().add("good", data=b"g" * 3000).done()
    return {
        "dots": (layer().add("../../victim/new", data=b"x").done(), "leads out of the layer"),
        "inner dots": (layer().add("a/../../../victim/new").done(), "leads out of the layer"),
        "hard link out": (layer().link("passwd", "../../victim/file").done(), "leads out of the layer"),
        "hard link to nothing": (layer().link("passwd", "no/such").done(), "No such file"),
        "hard link to a directory": (layer().dir("d").link("l", "d").done(), "not permitted"),
        "hard link through a link": (layer().symlink("s", "/").link("l", "s/victim/file").done(),
                                     "No such file"),
        "file under a file": (layer().add("f").add("f/g").done(), "Not a directory"),
        "the root as a file": (layer().add("./", data=b"").done().replace(b"./", b"//", 1), None),
        "link for the root": (layer().symlink(".", "/victim").done(), "kind that may not be there"),
        "empty symbolic link": (raw(b"l", kind=b"2") + end, "is empty"),
        "no name": (raw(b"") + end, "without a name"),
        "long component": (layer().add("c" * 256).done(), "256 bytes"),
        "long path": (layer().add("/".join(["d" * 200] * 22)).done(), "pax header"),
        "long path in a gnu archive": (layer(tarfile.GNU_FORMAT).add("/".join(["d" * 200] * 22)).done(),
                                       "long name"),
        "nameless whiteout": (layer().add("a/.wh.").done(), "names nothing"),
        "whiteout of the parent": (layer().add("a/.wh...").done(), "names nothing"),
        "checksum": (good[:100] + b"9" + good[101:], "checksum"),
        "cut in a block": (good[:300], "middle of a block"),
        "cut in a file": (good[:1024], "middle of a file"),
        "unknown type": (raw(b"x", kind=b"Q") + end, "unknown type"),
        "huge header": (raw(b"x", 1 << 30, kind=b"x"), "header of 1073741824 bytes"),
        "huge name": (raw(b"x", 1 << 21, kind=b"L"), "header of"),
        "bad number": (raw(b"x", mode=b"00006z4\0") + end, "number"),
        "negative size": (raw(b"x", sizefield=b"\xff" * 12) + end, "size"),
        "pax without an end": (raw(b"x", 512, kind=b"x") + b"999 path=a\n".ljust(512, b"x") + end,
                               "pax header"),
        "pax length of nothing": (raw(b"x", 8, kind=b"x") + oci.padded(b"0 a=b\n  ") + end, "pax header"),
        "no archive": (b"this is no archive" * 100, "checksum"),
    }


@pytest.mark.parametrize("name", sorted(hostile()))
def test_hostile_layers(tmp, store, name):
    tar, message = hostile()[name]
    os.makedirs(f"{tmp}/victim")
    with open(f"{tmp}/victim/file", "w") as f:
        f.write("untouched")
    before = oci.tree(f"{tmp}/victim")
    with open(f"{tmp}/tar", "wb") as f:
        f.write(tar)
    digest = store("blob", f"{tmp}/tar").strip()
    said = store.fails("unpack", digest)
    if message:
        assert message in said, said
    assert oci.tree(f"{tmp}/victim") == before
    assert store.files("layers", "new") == set() or store.files("new") == {f"new/{digest[7:23]}.lock"}
    assert os.path.exists(f"{store.path}/blobs/{digest[7:]}")


def test_symbolic_links_stay_inside(tmp, store):
    """An absolute link in a layer leads to the layer's own directory, never to the machine's."""
    victim = f"{tmp}/victim"
    os.makedirs(victim)
    layer = oci.Layer()
    layer.dir(victim.lstrip("/")).symlink("out", victim).add("out/new", data=b"inside")
    layer.symlink("up", "../" * 30 + victim).add("up/too", data=b"inside")
    layer.symlink("slash", "/").add("slash/in-root", data=b"r")
    with open(f"{tmp}/tar", "wb") as f:
        f.write(layer.done())
    digest = store("blob", f"{tmp}/tar").strip()
    store("unpack", digest)
    tree = oci.tree(f"{store.path}/layers/{digest[7:23]}/tree")
    assert os.listdir(victim) == []
    assert f"{victim}/new".encode() in tree and f"{victim}/too".encode() in tree
    assert b"/in-root" in tree


def test_an_image_cannot_speak_overlay(tmp, store):
    """Neither what hides nor where to look: overlay's attributes in a layer are dropped, also those
    of an overlay within user namespaces; labels of security modules are not for this machine."""
    pax = {f"SCHILY.xattr.{n}": "/etc" for n in (
        "trusted.overlay.redirect", "trusted.overlay.metacopy", "user.overlay.redirect",
        "trusted.overlay.opaque", "security.selinux", "trusted.orch.implied", "system.nfs4_acl")}
    pax["SCHILY.xattr.user.fine"] = "1"
    layer = oci.Layer().dir("d", pax=pax).add("d/f", pax=pax)
    with open(f"{tmp}/tar", "wb") as f:
        f.write(layer.done())
    digest = store("blob", f"{tmp}/tar").strip()
    store("unpack", digest)
    for name in ("d", "d/f"):
        path = f"{store.path}/layers/{digest[7:23]}/tree/{name}"
        assert os.listxattr(path) == ["user.fine"]


def test_truncated_and_broken_compression(tmp, store):
    for how in ("gzip", "zstd"):
        blob = oci.compressed(oci.base_layer(), how)[0]
        for damaged, says in ((blob[:-9], "truncated"), (blob[:40] + b"\xff" * 9 + blob[49:], "broken")):
            with open(f"{tmp}/blob", "wb") as f:
                f.write(damaged)
            said = store.fails("unpack", store("blob", f"{tmp}/blob").strip())
            assert says in said or "archive is broken" in said, (how, said)
    assert store.files("layers") == set()


def test_archives_that_are_no_layers(tmp, store):
    os.mkdir(f"{tmp}/to")
    good = oci.Layer().dir("blobs").add("blobs/x", data=b"1" * 9999, uid=77, mode=0o4777).add(".wh.y")
    good.symlink("second-name", "/etc")
    with open(f"{tmp}/good.tar", "wb") as f:
        f.write(oci.compressed(good.done(), "gzip")[0])
    store("archive", f"{tmp}/good.tar", f"{tmp}/to")
    tree = oci.tree(f"{tmp}/to")
    assert set(tree) == {b"/", b"/blobs", b"/blobs/x", b"/.wh.y"}
    assert tree[b"/blobs/x"]["mode"] == "0o100644" and tree[b"/blobs/x"]["owner"] == (0, 0)
    for layer in (oci.Layer().add("d", tarfile.CHRTYPE, dev=(1, 3)), oci.Layer().add("a").link("b", "a")):
        with open(f"{tmp}/bad.tar", "wb") as f:
            f.write(layer.done())
        assert "kind that may not be there" in store.fails("archive", f"{tmp}/bad.tar", f"{tmp}/to")


def children(pid):
    out = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            with open(f"/proc/{name}/stat") as f:
                if int(f.read().rsplit(")", 1)[1].split()[1]) == pid:
                    out.append(int(name))
    return out


def status(pid):
    with open(f"/proc/{pid}/status") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def test_what_the_unpackers_may_do(tmp, store):
    """Asked of the kernel while they work: the reader of the archive is nobody and can do nothing;
    the writer is root in the layer's own directory, and has rights over files alone."""
    with open(f"{tmp}/blob", "wb") as f:
        f.write(oci.compressed(oci.Layer().add("f", data=b"\0" * 200_000_000).done(), "zstd")[0])
    digest = store("blob", f"{tmp}/blob").strip()
    with subprocess.Popen([TOOL, store.path, "unpack", digest], stdout=subprocess.PIPE) as p:
        try:
            applier, = wait_for(lambda: children(p.pid), every=0.001)
            wait_for(lambda: status(applier)["Seccomp"] == "2", every=0.001)
            os.kill(applier, signal.SIGSTOP)	# then the reader soon waits for it
            reader, = wait_for(lambda: children(applier))
            wait_for(lambda: status(reader)["Seccomp"] == "2")
            s, a = status(reader), status(applier)
            assert s["Uid"].split() == s["Gid"].split() == ["61000"] * 4
            assert s["CapEff"] == s["CapPrm"] == "0" * 16
            assert (s["NoNewPrivs"], s["Seccomp"], s["Groups"].strip()) == ("1", "2", "")
            assert sorted(os.listdir(f"/proc/{reader}/fd")) == ["0", "1"]
            assert a["Seccomp"] == "2" and int(a["CapEff"], 16) == sum(
                1 << c for c in (0, 1, 3, 4, 5, 21, 27, 31))
            assert os.readlink(f"/proc/{applier}/root").startswith(f"{store.path}/new/{digest[7:23]}.")
        finally:
            with contextlib.suppress(OSError):
                os.kill(applier, signal.SIGCONT)
        assert p.stdout.read().split()[:1] == [b"200000000"]
    assert p.returncode == 0


def test_unpackers_end_with_whoever_started_them(tmp, store):
    with open(f"{tmp}/blob", "wb") as f:
        f.write(oci.compressed(oci.Layer().add("f", data=b"\0" * 200_000_000).done(), "zstd")[0])
    digest = store("blob", f"{tmp}/blob").strip()
    with subprocess.Popen([TOOL, store.path, "unpack", digest], stdout=subprocess.PIPE) as p:
        applier, = wait_for(lambda: children(p.pid), every=0.001)
        reader, = wait_for(lambda: children(applier), every=0.001)
        p.kill()
    wait_for(lambda: not any(alive(x) for x in (applier, reader)))
    store("ls")
    assert store.files("layers", "new") == set()


def alive(pid):
    try:
        return status(pid)["State"][0] != "Z"
    except OSError:
        return False


# ---- blobs ----

def test_contents_must_have_their_digest(tmp, store):
    layout = f"{tmp}/x.oci"
    manifest = oci.Layout(layout).image("t", [oci.base_layer(), oci.links_layer()])
    victim = sorted(os.listdir(f"{layout}/blobs/sha256"), key=lambda n: -os.path.getsize(
        f"{layout}/blobs/sha256/{n}"))[0]
    with open(f"{layout}/blobs/sha256/{victim}", "r+b") as f:
        f.seek(100)
        f.write(b"!")
    assert "its contents are sha256:" in store.fails("load", layout, "t", REF)
    assert f"blobs/{victim}" not in store.everything() and store.files("partial") == set()
    assert store("ls") == "" and manifest


def test_contents_must_be_what_the_configuration_says(tmp, store):
    layout = oci.Layout(f"{tmp}/x.oci")
    tars = [oci.base_layer(), oci.links_layer()]
    layout.image("t", tars)
    true, lie = oci.sha256(tars[1]), oci.sha256(b"other")
    blobs = f"{tmp}/x.oci/blobs/sha256"
    for name in os.listdir(blobs):
        with open(f"{blobs}/{name}", "rb") as f:
            text = f.read()
        if true.encode() in text:
            config, new = f"sha256:{name}", layout.blob(text.replace(true.encode(), lie.encode()))
    for name in os.listdir(blobs):
        with open(f"{blobs}/{name}", "rb") as f:
            text = f.read()
        if config.encode() in text:
            layout.manifests[0]["digest"] = layout.blob(text.replace(config.encode(), new.encode()))
    layout.write_index()
    assert f"configuration says {lie}" in store.fails("load", f"{tmp}/x.oci", "t", REF)


def test_a_blob_somebody_can_still_write_is_not_taken(tmp, store):
    """Whoever downloads is not trusted: the digest is computed when nobody can change the file."""
    data = b"blob" * 100
    with open(f"{tmp}/f", "wb") as f:
        f.write(data)
    store("ls")
    part = f"{store.path}/partial/{oci.sha256(data)[7:]}"
    with open(part, "wb") as writer:
        writer.write(data[:100])
        writer.flush()
        assert "Text file busy" in store.fails("blob", f"{tmp}/f")
        assert os.path.getsize(part) == len(data)	# what was fetched is kept
    store("blob", f"{tmp}/f")
    assert store.files("blobs", "partial") == {f"blobs/{oci.sha256(data)[7:]}"}


def test_a_blob_of_another_size_is_not_even_read(tmp, store):
    layout = f"{tmp}/x.oci"
    oci.Layout(layout).image("t", [oci.base_layer()])
    store("ls")
    name = next(n for n in os.listdir(f"{layout}/blobs/sha256")
                if os.path.getsize(f"{layout}/blobs/sha256/{n}") > 1000)
    with open(f"{store.path}/partial/{name}", "wb") as f:
        f.truncate(1 << 42)	# four terabytes of holes
    start = time.monotonic()
    assert "bytes instead of" in store.fails("sized", f"{layout}/blobs/sha256/{name}")
    assert time.monotonic() - start < 20
    assert store.files("partial") == set()


def test_one_download_of_a_blob_at_a_time(tmp, store):
    data = b"blob" * 100
    with open(f"{tmp}/f", "wb") as f:
        f.write(data)
    store("ls")
    with open(f"{store.path}/partial/{oci.sha256(data)[7:]}", "wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert "busy" in store.fails("blob", f"{tmp}/f")


# ---- images ----

def test_users_by_name(tmp, store):
    cases = {"": "", "web": "101:102,103", "101": "101:102,103", "web:log": "101:103", "5:6": "5:6",
             "7": "7:0", ":log": "0:103", "root": "0:0"}
    for n, (user, ids) in enumerate(cases.items()):
        load(tmp, store, [oci.base_layer()], ref=f"u:{n}", tag=f"u{n}", config={"User": user})
        assert f"\nids {ids}\n" in store("show", f"u:{n}"), user
    for user in ("nobody", "web:none", "4294967295"):
        layout = oci.Layout(f"{tmp}/bad-{user}.oci")
        layout.image("t", [oci.base_layer()], config={"User": user})
        assert "is not in its /etc" in store.fails("load", layout.path, "t", REF)


def test_users_of_the_topmost_passwd(tmp, store):
    upper = oci.Layer().add("etc/passwd", data=b"web:x:900:901::/:\n")
    gone = oci.Layer().add("etc/.wh.passwd")
    load(tmp, store, [oci.base_layer(), upper.done()], config={"User": "web"}, tag="a")
    assert "\nids 900:901,103\n" in store("show", REF)
    layout = oci.Layout(f"{tmp}/b.oci")
    layout.image("t", [oci.base_layer(), gone.done()], config={"User": "web"})
    assert "is not in its /etc/passwd" in store.fails("load", layout.path, "t", REF)


def test_layers_are_shared_and_collected(tmp, store):
    a, b, c = oci.base_layer(), oci.links_layer(), oci.xattrs_layer()
    load(tmp, store, [a, b], ref="x:1", tag="x1")
    load(tmp, store, [a, b, c], ref="x:2", tag="x2")
    assert store("ls").split() == ["x:1", "x:2"]
    assert len(store.files("layers")) == 3 and len(store.files("blobs")) == 7
    store("pin", "x:1", "pod-1.web")
    pinned = store("lowers", "x:1").split()
    store("rm", "x:1")
    assert store("ls").split() == ["x:2"]
    assert store("gc", "all").split() == ["1", "1", "3"]	# x:2 itself, its own layer
    assert store("lowers", "gone", "pod-1.web").split() == pinned
    assert all(os.path.isdir(p) for p in pinned)
    assert "is not in the store" in store.fails("lowers", "x:1")
    store("unpin", "pod-1.web")
    store("gc", "all")
    assert store.everything() == set()


def test_what_a_removed_image_had_goes_at_once(tmp, store):
    load(tmp, store, [oci.base_layer(), oci.links_layer()], ref="x:1", tag="a")
    load(tmp, store, [oci.base_layer()], ref="x:2", tag="b")
    store("rm", "x:1")
    assert store("gc", "orphans").split() == ["0", "1", "3"]
    assert store("ls").split() == ["x:2"]


def test_a_moved_name_leaves_its_pin(tmp, store):
    load(tmp, store, [oci.base_layer()], tag="old")
    store("pin", REF, "owner")
    old = store("lowers", REF)
    load(tmp, store, [oci.links_layer()], tag="new")
    assert store("lowers", REF) != old
    assert store("lowers", REF, "owner") == old
    store("gc", "all", REF)
    assert len(store("lowers", REF, "owner").split()) == 1 and os.path.isdir(old.strip())


def test_nothing_is_collected_under_a_pin_that_cannot_be_read(tmp, store):
    load(tmp, store, [oci.base_layer()])
    store("pin", REF, "o")
    store("rm", REF)
    with open(f"{store.path}/pins/o", "r+") as f:
        f.write("orch-image 9")
    assert "pins/o: this is no record" in store.fails("gc", "all")
    assert len(store.files("layers", "blobs")) == 4
    store("unpin", "o")
    store("gc", "all")
    assert store.everything() == set()


def test_nothing_is_collected_while_somebody_pulls(tmp, store):
    load(tmp, store, [oci.base_layer()])
    with open(f"{store.path}/lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        assert "images are being pulled" in store.fails("gc", "all")
    assert store("gc", "all").split()[0] == "1"


def test_fresh_leftovers_are_kept_for_the_next_attempt(tmp, store):
    with open(f"{tmp}/f", "wb") as f:
        f.write(oci.base_layer())
    digest = store("blob", f"{tmp}/f").strip()
    store("unpack", digest)
    store("gc", "orphans")
    assert len(store.files("layers", "blobs")) == 2
    for path in (f"{store.path}/blobs/{digest[7:]}", f"{store.path}/layers/{digest[7:23]}"):
        os.utime(path, (time.time() - 4000,) * 2)
    store("gc", "orphans")
    assert store.everything() == set()


def test_export_is_read_by_others(tmp, store):
    tars = [oci.base_layer(), oci.links_layer(), oci.links_layer()]
    path, digest = load(tmp, store, tars, config={"Cmd": ["/bin/su"], "Labels": {"a": "b\n"}})
    store("export", REF, f"{tmp}/out.tar")
    os.mkdir(f"{tmp}/again")
    subprocess.run(["tar", "-C", f"{tmp}/again", "-xf", f"{tmp}/out.tar"], check=True)
    subprocess.run(["umoci", "unpack", "--image", f"{tmp}/again:1", f"{tmp}/bundle"], check=True,
                   stderr=subprocess.PIPE)
    assert oci.differences(oci.tree(f"{tmp}/bundle/rootfs"), merged(tmp, store)) == []
    if shutil.which("skopeo"):
        for source in (f"oci-archive:{tmp}/out.tar", f"docker-archive:{tmp}/out.tar"):
            subprocess.run(["skopeo", "inspect", "--tmpdir", tmp, source], check=True,
                           stdout=subprocess.DEVNULL)
    other = Store(f"{tmp}/other")
    other("load", f"{tmp}/again", "1", REF)
    assert f"\ndigest {digest}\n" in other("show", REF)
    assert path


# ---- space ----

@contextlib.contextmanager
def ram(tmp, size):
    """A file system of that size, which nobody else fills."""
    os.mkdir(f"{tmp}/ram")
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", f"{tmp}/ram"], check=True)
    try:
        yield Store(f"{tmp}/ram/store")
    finally:
        subprocess.run(["umount", f"{tmp}/ram"], check=True)


def noise(n):
    return random.Random(n).randbytes(500_000)


def test_full_disk(tmp):
    tar = oci.Layer().add("large", data=b"\0" * 5_000_000).add("more", data=noise(1)).done()
    oci.Layout(f"{tmp}/t.oci").image("t", [tar])
    with ram(tmp, "3m") as store:
        assert "No space left on device" in store.fails("load", f"{tmp}/t.oci", "t", REF)
        assert store("ls") == "" and store.files("layers", "names") == set()
        assert store.files("new") == set()	# and nothing of the half of it


def test_the_least_recently_used_goes_when_the_disk_fills(tmp):
    with ram(tmp, "6m") as store:
        for n in range(4):	# a megabyte each: the layer and its blob
            load(tmp, store, [oci.Layer().add("f", data=noise(n)).done()], ref=f"x:{n}", tag=f"t{n}")
            name, = store.files("names") - {store_name(f"x:{m}") for m in range(n)}
            os.utime(f"{store.path}/{name}", (1000 + n,) * 2)
        store("pin", "x:0", "o")
        assert store("gc", "95:90").split() == ["0", "0", "0"]
        assert store("gc", "60:45", "x:1").split()[0] == "2"	# not the pinned, not the used one
        assert store("ls").split() == ["x:0", "x:1"]
        assert len(store.files("layers")) == 2


def store_name(ref):
    return f"names/{oci.sha256(ref.encode())[7:39]}"


def test_pods_with_other_ids_share_layers(tmp, store):
    """Two ranges of ids over the same layers, which stay as they are on the disk."""
    layer = oci.Layer().dir("home", uid=1000, gid=7).add("home/secret", data=b"s", uid=1000, gid=7, mode=0o600)
    layer.add("high", uid=4294967294).symlink("link", "high", uid=8)
    load(tmp, store, [oci.nodes_layer(), layer.done()])
    before = {p: oci.tree(p) for p in store("lowers", REF).split()}
    for first in (100000, 300000):
        d = f"{tmp}/pod{first}"
        os.mkdir(d)
        p = store.run("idmapped", REF, str(first), d, check=False)
        try:
            assert p.returncode == 0, p.stderr
            def owner(name):
                st = os.lstat(f"{d}/merged/{name}")
                return st.st_uid, st.st_gid
            assert owner("dev/null") == (first, first)
            assert owner("home/secret") == (first + 1000, first + 7)
            assert owner("link") == (first + 8, first)
            assert owner("high")[0] == 65534	# not in the range
            with open(f"{d}/merged/home/secret", "a") as f:
                f.write("x")
            st = os.stat(f"{d}/upper/home/secret")	# what is written is the pod's own
            assert (st.st_uid, st.st_gid) == (first + 1000, first + 7)
        finally:
            for m in ["merged"] + sorted(n for n in os.listdir(d) if n[0] == "l"):
                subprocess.run(["umount", f"{d}/{m}"], stderr=subprocess.DEVNULL)
    assert {p: oci.tree(p) for p in before} == before


def test_a_pod_of_127_layers(tmp, rootfs):
    with open(f"{rootfs}/bin/probe", "rb") as f:
        base = oci.Layer().dir("bin").add("bin/probe", data=f.read(), mode=0o755).dir("many")
    tars = [base.done()] + [oci.Layer().add(f"many/{n:03d}", data=b"%d" % n).done() for n in range(126)]
    oci.Layout(f"{tmp}/many.oci").image("t", tars)
    orch = Orch(rootfs)
    try:
        orch.start()
        orch.write("p.yaml", pod("p", {"name": "main", "image": f"oci:{tmp}/many.oci:t",
                                       "command": ["/bin/probe", "sleep"]}))
        wait_for(lambda: orch.pod("p") and state(orch.pod("p"))[0] == "running", 60, "it runs")
        pid = min(orch.pids(orch.pod("p"), "main"))
        assert len(os.listdir(f"/proc/{pid}/root/many")) == 126
        with open(f"/proc/{pid}/root/many/125", "rb") as f:
            assert f.read() == b"125"
    finally:
        orch.close()


# ---- crashes ----

def reboot(store):
    """What a store sees of one: another boot."""
    with open(f"{store.path}/boot", "w") as f:
        f.write("another\n")


def test_after_a_power_failure_only_what_was_on_the_disk_is_trusted(tmp, store):
    load(tmp, store, [oci.base_layer()], ref="x:1", tag="a")
    store("settle")
    load(tmp, store, [oci.base_layer(), oci.links_layer()], ref="x:2", tag="b")
    store("pin", "x:1", "o")
    reboot(store)
    assert store("ls").split() == ["x:1"]
    assert len(store.files("layers")) == 1 and len(store.files("blobs")) == 3
    store("load", f"{tmp}/b.oci", "b", "x:2")
    assert store("ls").split() == ["x:1", "x:2"]
    store("settle")
    reboot(store)
    assert store("ls").split() == ["x:1", "x:2"]


def test_two_hundred_kills(tmp):
    with ram(tmp, "50%") as store:	# a disk would take minutes
        kill_often(tmp, store)


def kill_often(tmp, store):
    layout = oci.Layout(f"{tmp}/k.oci")
    tars = oci.all_layers(tmp)
    layout.image("t", tars)
    whole = 9
    for _ in range(3):	# other work on the machine makes it only longer
        store("gc", "all")
        start = time.monotonic()
        store("load", layout.path, "t", REF)
        whole = min(whole, time.monotonic() - start)
    tree = merged(tmp, store)
    expected = store.everything()	# after another open: what a finished pull leaves is swept
    store("gc", "all")
    assert store.everything() == set()
    rng = random.Random(6)
    finished = 0
    for n in range(200):
        p = subprocess.Popen([TOOL, store.path, "load", layout.path, "t", REF],
                             stderr=subprocess.PIPE, text=True)
        try:
            p.wait(rng.uniform(0, whole * 1.1))
        except subprocess.TimeoutExpired:
            p.send_signal(signal.SIGKILL)
        said = p.stderr.read()
        p.wait()
        finished += p.returncode == 0
        assert p.returncode in (0, -signal.SIGKILL), said
        if store("ls"):	# whole, whenever it is there
            assert oci.differences(merged(tmp, store), tree) == []
        if n % 4 == 3:	# else it goes on where the last one was killed
            store("gc", "all")
            assert store.files("layers", "blobs", "names", "partial") == set()
    assert finished < 170	# the others were killed in the middle
    store("load", layout.path, "t", REF)
    store("ls")
    assert store.everything() == expected
    assert oci.differences(merged(tmp, store), tree) == []
