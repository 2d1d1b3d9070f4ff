# SPDX-License-Identifier: GPL-2.0-or-later
"""Images from a real registry (docker-registry), filled by skopeo from images that umoci made: every
way in which a pull can go well or wrong, seen on the pod as kubectl would show it."""

import base64
import contextlib
import crypt
import hashlib
import http.client
import http.server
import json
import os
import random
import re
import select
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

import oci_layers as oci
from harness import (BUILD, TOP, Namespace, Orch, configmap, container_status, in_netns, pod, state,
                     wait_for)
from test_access import Terminal
from test_image_store import merged, ram

KILLS = int(os.environ.get("ORCH_TEST_KILLS", "200"))


def tool(name):
    local = os.path.join(TOP, "build/tools", name)
    return shutil.which(name) or (local if os.access(local, os.X_OK) else None)


TOOLS = ("docker-registry", "skopeo", "umoci", "openssl", "zstd")
pytestmark = pytest.mark.skipif(not all(tool(t) for t in TOOLS),
                                reason="needs " + ", ".join(TOOLS))


def run(*args, **kwargs):
    r = subprocess.run([str(a) for a in args], text=True, capture_output=True, timeout=120, **kwargs)
    assert r.returncode == 0, f"{args}: {r.stdout}{r.stderr}"
    return r.stdout


# ---- images ----

class Layout:
    """An OCI layout: images made of layers that are made here."""

    def __init__(self, path):
        self.path = str(path)
        run("umoci", "init", "--layout", self.path)

    def make(self, tag, *layers, **config):
        """layers: functions that change the directory of the root file system."""
        image, bundle = f"{self.path}:{tag}", f"{self.path}-{tag}"
        run("umoci", "new", "--image", image)
        run("umoci", "unpack", "--image", image, bundle)
        for layer in layers:
            layer(f"{bundle}/rootfs")
            run("umoci", "repack", "--refresh-bundle", "--image", image, bundle)
        args = []
        for key, value in config.items():
            for v in value if isinstance(value, list) else [value]:
                args += [f"--config.{key}", v]
        if args:
            run("umoci", "config", "--image", image, *args)
        shutil.rmtree(bundle)
        return f"oci:{image}"

    def blob(self, digest):
        with open(f"{self.path}/blobs/sha256/{digest.split(':')[1]}", "rb") as f:
            return f.read()

    def put_blob(self, data):
        hexes = hashlib.sha256(data).hexdigest()
        with open(f"{self.path}/blobs/sha256/{hexes}", "wb") as f:
            f.write(data)
        return {"digest": f"sha256:{hexes}", "size": len(data)}

    def index(self):
        with open(f"{self.path}/index.json") as f:
            return json.load(f)

    def descriptor(self, tag):
        return next(m for m in self.index()["manifests"]
                    if m["annotations"]["org.opencontainers.image.ref.name"] == tag)

    def manifest(self, tag):
        return json.loads(self.blob(self.descriptor(tag)["digest"]))


def libraries(program):
    """What a dynamic program needs, the loader included."""
    out = subprocess.run(["ldd", program], text=True, capture_output=True).stdout
    return [w for line in out.splitlines() for w in line.split() if w.startswith("/")]


def base_layer(root):
    for d in ("bin", "etc", "tmp", "var", "old"):
        os.mkdir(f"{root}/{d}")
    shutil.copy2(f"{BUILD}/orch-probe", f"{root}/bin/probe")
    for path in ["/bin/busybox", *libraries("/bin/busybox")]:
        os.makedirs(os.path.dirname(root + path), exist_ok=True)
        shutil.copy2(os.path.realpath(path), root + path)
    for name in ("sh", "cat", "ls", "id", "sleep", "env"):
        os.symlink("busybox", f"{root}/bin/{name}")
    with open(f"{root}/etc/passwd", "w") as f:
        f.write("root:x:0:0:root:/:/bin/sh\nweb:x:1234:1235::/:/bin/sh\n")
    with open(f"{root}/etc/group", "w") as f:
        f.write("root:x:0:\nweb:x:1235:\nextra:x:1300:web\n")
    for name in ("gone", "kept"):
        with open(f"{root}/old/{name}", "w") as f:
            f.write(name)


def second_layer(root):
    os.unlink(f"{root}/old/gone")
    with open(f"{root}/etc/second", "w") as f:
        f.write("second layer\n")


def large_layer(size):
    def layer(root):
        with open(f"{root}/large", "wb") as f:
            f.write(os.urandom(size))
    return layer


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    layout = Layout(tmp_path_factory.mktemp("images") / "oci")
    layout.make("app", base_layer, second_layer, entrypoint=["/bin/sh", "-c"],
                cmd="echo hello $NAME; exec probe sleep --stubborn", env="NAME=world", user="web",
                workingdir="/etc", stopsignal="SIGINT")
    layout.make("large", base_layer, large_layer(24 << 20), entrypoint=["/bin/probe"],
                cmd="sleep")
    return layout


# ---- registries ----

class Registry:
    """docker-registry in the network namespace of an orchd."""

    def __init__(self, orch, port=5055, tls=None, users=None, data=None):
        self.orch, self.port = orch, port
        self.dir = data or os.path.join(orch.dir, f"registry{port}")
        os.makedirs(self.dir, exist_ok=True)
        self.host = f"127.0.0.1:{port}"
        self.tls, self.users = tls, users
        config = {"version": "0.1", "log": {"level": "error", "accesslog": {"disabled": False}},
                  "storage": {"filesystem": {"rootdirectory": f"{self.dir}/data"},
                              "delete": {"enabled": True}},
                  "http": {"addr": self.host}}
        if tls:
            config["http"]["tls"] = {"certificate": tls[0], "key": tls[1]}
        if users:
            path = f"{self.dir}/htpasswd"
            with open(path, "w") as f:
                for user, password in users.items():
                    salt = crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16)
                    f.write(f"{user}:{crypt.crypt(password, salt)}\n")
            config["auth"] = {"htpasswd": {"realm": "here", "path": path}}
        self.config = f"{self.dir}/config.yml"
        with open(self.config, "w") as f:
            json.dump(config, f)
        self.process = None

    def start(self):
        with open(f"{self.dir}/log", "ab") as log:
            self.process = subprocess.Popen(
                self.orch.ns.enter(tool("docker-registry"), "serve", self.config), stdout=log, stderr=log)
        wait_for(lambda: in_netns(self.orch.ns.pid, Orch.listens, self.port), 20, "registry listens")
        return self

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def push(self, source, name, **kwargs):
        creds = ["--dest-creds", ":".join(next(iter(self.users.items())))] if self.users else []
        self.orch.ns.run("skopeo", "--insecure-policy", "copy", "-q", "--dest-tls-verify=false",
                         *creds, *kwargs.get("args", ()), source, f"docker://{self.host}/{name}")
        return f"{self.host}/{name}"

    def log(self):
        with open(f"{self.dir}/log", errors="replace") as f:
            return f.read()

    def blob_file(self, digest):
        h = digest.split(":")[1]
        return f"{self.dir}/data/docker/registry/v2/blobs/sha256/{h[:2]}/{h}/data"

    def __enter__(self):
        return self.start()

    def __exit__(self, *exc):
        self.stop()


def certificates(directory, *names):
    """A CA and a server's certificate: (certificate, key, CA)."""
    d = str(directory)
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
        "-nodes", "-days", "2", "-subj", "/CN=test CA", "-keyout", f"{d}/ca.key", "-out",
        f"{d}/ca.pem")
    run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-subj", f"/CN={names[0]}", "-keyout", f"{d}/server.key", "-out", f"{d}/server.csr")
    with open(f"{d}/ext", "w") as f:
        f.write("subjectAltName=" + ",".join(names_of(n) for n in names) + "\n")
    run("openssl", "x509", "-req", "-in", f"{d}/server.csr", "-CA", f"{d}/ca.pem", "-CAkey",
        f"{d}/ca.key", "-CAcreateserial", "-days", "2", "-extfile", f"{d}/ext", "-out",
        f"{d}/server.pem")
    return f"{d}/server.pem", f"{d}/server.key", f"{d}/ca.pem"


def names_of(name):
    return f"IP:{name}" if name[0].isdigit() else f"DNS:{name}"


def auth_config(host, user, password):
    return json.dumps({"auths": {host: {
        "auth": base64.b64encode(f"{user}:{password}".encode()).decode()}}})


def pull_secret(name, host, user, password):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name},
            "type": "kubernetes.io/dockerconfigjson",
            "stringData": {".dockerconfigjson": auth_config(host, user, password)}}


# ---- orchd ----

class ImageOrch(Orch):
    def settings(self, **images):
        self.configure(images=images)

    def start(self, *flags, **kwargs):
        # credentials of whoever runs the tests are none of our business
        os.environ["HOME"] = self.dir
        os.environ.pop("REGISTRY_AUTH_FILE", None)
        return super().start(*flags, **kwargs)

    def events(self, reason=None):
        return [e for e in self.get("events") if reason in (None, e["reason"])]

    def messages(self, reason):
        return [e["message"] for e in self.events(reason)]

    def waiting(self, name="p"):
        p = self.pod(name)
        kind, what = state(p) if p else (None, {})
        return (what.get("reason"), what.get("message", "")) if kind == "waiting" else (kind, "")

    def wait_waiting(self, reason, text="", name="p", timeout=20):
        last = []

        def there():
            last[:] = [self.waiting(name)]
            return last[0][0] == reason and text in last[0][1] and last[0]
        try:
            return self.wait(there, timeout, f"{reason} {text}")
        except AssertionError as e:
            raise AssertionError(f"{last}: {e}") from None

    def declare(self, image, name="p", policy=None, secrets=(), **container):
        c = {"name": "main", "image": image, **container}
        if policy:
            c["imagePullPolicy"] = policy
        spec = {"imagePullSecrets": [{"name": s} for s in secrets]} if secrets else {}
        return pod(name, c, **spec)

    def store(self, sub):
        d = f"{self.state}/images/{sub}"
        return sorted(os.listdir(d)) if os.path.isdir(d) else []

    def pullers(self):
        return [int(p) for p in os.listdir("/proc") if p.isdigit() and exe_is(p, "orch-pull") and
                same_netns(p, self.ns.pid)]


def exe_is(pid, name):
    with contextlib.suppress(OSError):
        return os.path.basename(os.readlink(f"/proc/{pid}/exe")) == name
    return False


def same_netns(pid, other):
    with contextlib.suppress(OSError):
        return os.readlink(f"/proc/{pid}/ns/net") == os.readlink(f"/proc/{other}/ns/net")
    return False


@pytest.fixture
def node(rootfs):
    o = ImageOrch(rootfs)
    o.write("zz-keep.yaml", configmap("keep"))	# so that the last pod may be deleted
    home = os.environ.get("HOME")
    try:
        yield o
    finally:
        o.close()
        if home:
            os.environ["HOME"] = home


@pytest.fixture
def registry(node):
    with Registry(node) as r:
        yield r


# ---- it works ----

def test_pull_and_run(node, registry, images):
    image = registry.push(f"oci:{images.path}:app", "team/app:1")
    node.start()
    declared = node.declare(image)
    declared["spec"]["terminationGracePeriodSeconds"] = 600
    node.write("p.yaml", declared)
    p = node.wait_running()
    digest = json.loads(node.ns.run("skopeo", "inspect", "--tls-verify=false",
                                    f"docker://{image}").stdout)["Digest"]
    assert container_status(p)["imageID"] == f"{registry.host}/team/app@{digest}"
    wait_for(lambda: "hello world" in node.log_text(p, "main"), 5, "its output")
    assert node.exec("p", "/bin/cat", "/etc/second").stdout == "second layer\n"
    assert node.exec("p", "/bin/ls", "/old").stdout.split() == ["kept"]
    assert node.exec("p", "/bin/id").stdout.startswith(
        "uid=1234(web) gid=1235(web) groups=1235(web),1300(extra)")
    pid, = [x for x in node.pids(p, "main")]
    assert os.readlink(f"/proc/{pid}/cwd") == "/etc"
    assert f'Pulling image "{image}"' in node.messages("Pulling")
    assert node.messages("Pulled")[0].startswith(f'Successfully pulled image "{image}" in ')
    node.remove("p.yaml")	# by the image's own stop signal: the program ignores SIGTERM
    wait_for(lambda: not node.pod("p"), 20, "it ends")


def test_configuration_of_an_image(node, registry, images):
    """What no other test looks at: a user by number, and what is only shown."""
    images.make("shown", base_layer, **{
        "entrypoint": ["/bin/sh", "-c"], "cmd": "id; sleep 1000", "user": "33:44",
        "exposedports": ["8080/tcp", "53/udp"], "volume": "/data", "label": "org.example.a=b c"})
    image = registry.push(f"oci:{images.path}:shown", "shown:1")
    node.start()
    node.write("p.yaml", node.declare(image))
    p = node.wait_running()
    wait_for(lambda: "\n" in node.log_text(p, "main"), 10, "its output")
    assert node.log_text(p, "main") == "uid=33 gid=44 groups=44\n"
    shown = json.loads(node.ctl("image", "inspect", image).stdout)
    assert sorted(shown["ports"]) == ["53/udp", "8080/tcp"]
    assert (shown["volumes"], shown["labels"]) == (["/data"], ["org.example.a=b c"])
    assert (shown["user"], shown["ids"]) == ("33:44", "33:44")


def test_present_image_is_not_asked_for(node, registry, images):
    image = registry.push(f"oci:{images.path}:app", "app:1")
    node.start()
    node.write("p.yaml", node.declare(image))
    node.wait_running()
    registry.stop()
    node.write("q.yaml", node.declare(image, "q"))
    node.wait_running("q")
    assert f'Container image "{image}" already present on machine' in node.messages("Pulled")


def test_always_asks(node, registry, images):
    image = registry.push(f"oci:{images.path}:app", "app:latest")
    node.start()
    node.write("p.yaml", node.declare(image))
    first = container_status(node.wait_running())["imageID"]
    registry.push(f"oci:{images.path}:large", "app:latest")
    node.write("q.yaml", node.declare(image, "q"))
    assert container_status(node.wait_running("q"))["imageID"] != first
    registry.stop()
    node.write("r.yaml", node.declare(image, "r"))
    node.wait_waiting("ErrImagePull", "connect", "r")


def test_restart_of_orchd_keeps_the_image_id(node, registry, images):
    image = registry.push(f"oci:{images.path}:app", "app:1")
    node.start()
    node.write("p.yaml", node.declare(image))
    before = container_status(node.wait_running())
    node.restart()
    wait_for(lambda: node.settled(), 20, "settled")
    after = container_status(node.pod("p"))
    assert after["imageID"] == before["imageID"] and after["restartCount"] == 0
    assert len(node.store("pins")) == 1
    node.remove("p.yaml")
    wait_for(lambda: not node.pod("p"), 20, "the pod is gone")
    assert not node.store("pins")


def test_by_digest(node, registry, images):
    image = registry.push(f"oci:{images.path}:app", "app:1")
    node.start()
    digest = json.loads(node.ns.run("skopeo", "inspect", "--tls-verify=false",
                                    f"docker://{image}").stdout)["Digest"]
    node.write("p.yaml", node.declare(f"{registry.host}/app@{digest}"))
    assert container_status(node.wait_running())["imageID"] == f"{registry.host}/app@{digest}"


def test_docker_schema_2(node, registry, images):
    image = registry.push(f"oci:{images.path}:app", "app:v2", args=["--format", "v2s2"])
    node.start()
    node.write("p.yaml", node.declare(image))
    node.wait_running()


def test_zstd_layers(node, registry, images):
    image = registry.push(f"oci:{images.path}:app", "app:zstd", args=["--dest-compress-format", "zstd"])
    raw = node.ns.run("skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{image}").stdout
    for layer in json.loads(raw)["layers"]:
        assert layer["mediaType"] == "application/vnd.oci.image.layer.v1.tar+zstd"
        with open(registry.blob_file(layer["digest"]), "rb") as f:
            assert f.read(4) == b"\x28\xb5\x2f\xfd"
    node.start()
    node.write("p.yaml", node.declare(image))
    p = node.wait_running()
    assert container_status(p)["imageID"].endswith(oci.sha256(raw.encode()))
    assert node.exec("p", "/bin/cat", "/etc/second").stdout == "second layer\n"
    assert node.exec("p", "/bin/ls", "/old").stdout.split() == ["kept"]


def put_tag(layout, tag, data, media="application/vnd.oci.image.manifest.v1+json"):
    d = dict(layout.put_blob(data), mediaType=media,
             annotations={"org.opencontainers.image.ref.name": tag})
    index = layout.index()
    index["manifests"] = [m for m in index["manifests"] or [] if m.get("annotations", {}).get(
        "org.opencontainers.image.ref.name") != tag] + [d]
    with open(f"{layout.path}/index.json", "w") as f:
        json.dump(index, f)


def test_index_of_platforms(node, registry, images):
    app, other = images.descriptor("app"), images.descriptor("large")
    machine = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
    foreign = "s390x"

    def entry(d, arch):
        return {"mediaType": d["mediaType"], "digest": d["digest"], "size": d["size"],
                "platform": {"os": "linux", "architecture": arch}}
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
             "manifests": [entry(other, foreign), entry(app, machine)]}
    put_tag(images, "multi", json.dumps(index).encode(), index["mediaType"])
    image = registry.push(f"oci:{images.path}:multi", "multi:1", args=["--all"])
    node.start()
    node.write("p.yaml", node.declare(image))
    assert container_status(node.wait_running())["imageID"].endswith(app["digest"])
    index["manifests"] = [entry(other, foreign)]
    put_tag(images, "foreign", json.dumps(index).encode(), index["mediaType"])
    image = registry.push(f"oci:{images.path}:foreign", "foreign:1", args=["--all"])
    node.write("q.yaml", node.declare(image, "q"))
    node.wait_waiting("ErrImagePull", "no match for platform in manifest", "q")


@pytest.mark.parametrize("transport", ["oci", "oci-archive", "docker-archive"])
def test_local_transports(node, images, tmp_path, transport):
    source = f"oci:{images.path}:app"
    where = f"{tmp_path}/image"
    tag = {"docker-archive": "reg.example/app:1"}.get(transport, "app")
    run("skopeo", "--insecure-policy", "copy", "-q", source, f"{transport}:{where}:{tag}")
    node.start()
    node.write("p.yaml", node.declare(f"{transport}:{where}:{tag}"))
    node.wait_running()
    assert node.exec("p", "/bin/cat", "/etc/second").stdout == "second layer\n"
    node.write("q.yaml", node.declare(f"{transport}:{where}:other", "q"))
    node.wait_waiting("ErrImagePull", "no image is named", "q")


# ---- TLS and authentication ----

@pytest.fixture
def private(node, tmp_path):
    cert, key, ca = certificates(tmp_path, "127.0.0.1", "registry.test")
    with Registry(node, tls=(cert, key), users={"joe": "s3cret"}) as r:
        r.ca = ca
        node.settings(registries=[{"host": r.host, "caFile": ca}])
        yield r


def test_private_image(node, private, images):
    image = private.push(f"oci:{images.path}:app", "private/app:1")
    node.start()
    node.write("s.yaml", pull_secret("good", private.host, "joe", "s3cret"),
               pull_secret("bad", private.host, "joe", "wrong"))
    node.write("p.yaml", node.declare(image, secrets=["bad"]))
    text = node.wait_waiting("ErrImagePull", "pull access denied")[1]
    assert "s3cret" not in text and "wrong" not in text
    node.write("q.yaml", node.declare(image, "q"))
    node.wait_waiting("ErrImagePull", "no basic auth credentials", "q")
    node.wait_waiting("ImagePullBackOff", "Back-off pulling image", timeout=15)
    assert any("Error: ErrImagePull" == m for m in node.messages("Failed"))
    assert any("Back-off pulling image" in m for m in node.messages("BackOff"))
    node.write("r.yaml", node.declare(image, "r", secrets=["missing", "good"]))
    node.wait_running("r")
    assert any("(missing)" in m for m in node.messages("FailedToRetrieveImagePullSecret"))
    # an account's credentials are for pods that name none of their own
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "puller"},
               "imagePullSecrets": [{"name": "good"}]}
    for name, more in (("s", {}), ("t", {"imagePullSecrets": [{"name": "bad"}]})):
        p = node.declare(image, name, policy="Always")
        p["spec"].update(serviceAccountName="puller", **more)
        node.write(f"{name}-pod.yaml", p)
    node.wait_waiting("ErrImagePull", "pull access denied", "t")
    node.wait_waiting("ErrImagePull", "no basic auth credentials", "s")
    node.write("a.yaml", account)
    node.wait_running("s")
    old = node.declare(image, "u", policy="Always")
    old["spec"]["serviceAccount"] = "puller"	# as the field was called once
    node.write("u-pod.yaml", old)
    node.wait_running("u")
    # the password was mended: at once, whatever the back-off says
    node.write("s.yaml", pull_secret("good", private.host, "joe", "s3cret"),
               pull_secret("bad", private.host, "joe", "s3cret"))
    node.wait_running("p", timeout=8)


@pytest.mark.parametrize("path", [".docker/config.json", ".config/containers/auth.json"])
def test_files_that_others_log_in_with(node, private, images, path):
    image = private.push(f"oci:{images.path}:app", "app:1")
    os.makedirs(os.path.dirname(f"{node.dir}/{path}"))	# its $HOME
    with open(f"{node.dir}/{path}", "w") as f:
        f.write(auth_config(private.host, "joe", "s3cret"))
    node.start()
    node.write("p.yaml", node.declare(image))
    node.wait_running()


def test_unknown_authority(node, private, images, tmp_path):
    image = private.push(f"oci:{images.path}:app", "app:1")
    os.mkdir(tmp_path / "other")
    other = certificates(tmp_path / "other", "127.0.0.1")[2]
    node.settings(registries=[{"host": private.host, "caFile": other}])
    node.start()
    node.write("p.yaml", node.declare(image))
    node.wait_waiting("ErrImagePull", "certificate")


def test_login(node, private, images):
    image = private.push(f"oci:{images.path}:app", "app:1")
    node.start()
    node.write("p.yaml", node.declare(image))
    node.wait_waiting("ImagePullBackOff", "no basic auth credentials")
    r = node.ctl("image", "login", private.host, "-u", "joe", "--password-stdin", input="wrong\n",
                 check=False)
    assert r.returncode == 1 and "refuses this user name and password" in r.stderr
    assert not os.path.exists(f"{node.state}/auth.json")
    r = node.ctl("image", "login", private.host, "-u", "joe", "--password-stdin", input="s3cret\n")
    assert "Login Succeeded" in r.stdout
    assert os.stat(f"{node.state}/auth.json").st_mode & 0o777 == 0o600
    node.wait_running(timeout=8)	# at once, whatever the back-off says
    node.ctl("image", "logout", private.host)
    node.write("q.yaml", node.declare(image, "q", policy="Always"))
    node.wait_waiting("ErrImagePull", "no basic auth credentials", "q")


# ---- it does not work ----

def test_missing_tag(node, registry, images):
    registry.push(f"oci:{images.path}:app", "app:1")
    node.start()
    node.write("p.yaml", node.declare(f"{registry.host}/app:nope"))
    node.wait_waiting("ErrImagePull", f"{registry.host}/app:nope\": not found")
    node.write("q.yaml", node.declare(f"{registry.host}/nothing:1", "q"))
    node.wait_waiting("ErrImagePull", "not found", "q")


def test_invalid_name(node):
    node.start()
    node.write("p.yaml", node.declare("Nginx:latest"))
    node.wait_waiting("InvalidImageName", 'couldn\'t parse image name "Nginx:latest"')
    assert "Error: InvalidImageName" in node.messages("Failed")


def test_never(node, registry, images):
    image = registry.push(f"oci:{images.path}:app", "app:1")
    node.start()
    node.write("p.yaml", node.declare(image, policy="Never"))
    node.wait_waiting("ErrImageNeverPull",
                      f'Container image "{image}" is not present with pull policy of Never')
    volume = node.declare(f"rootfs:{node.rootfs}", "v", command=["/bin/probe", "sleep"])
    volume["spec"]["volumes"] = [{"name": "i", "image": {"reference": image, "pullPolicy": "Never"}}]
    volume["spec"]["containers"][0]["volumeMounts"] = [{"name": "i", "mountPath": "/i"}]
    node.write("v.yaml", volume)
    node.wait_waiting("ErrImageNeverPull", "is not present with pull policy of Never", "v")
    node.ctl("image", "pull", image)
    node.wait_running()
    node.wait_running("v")


def test_wrong_digest(node, registry, images):
    image = registry.push(f"oci:{images.path}:app", "app:1")
    layer = images.manifest("app")["layers"][0]["digest"]
    path = registry.blob_file(layer)
    with open(path, "r+b") as f:
        f.seek(1000)
        byte = f.read(1)
        f.seek(1000)
        f.write(bytes([byte[0] ^ 1]))
    node.start()
    node.write("p.yaml", node.declare(image))
    node.wait_waiting("ErrImagePull", layer)
    assert layer.split(":")[1][:16] not in node.store("layers") and node.store("names") == []
    assert layer.split(":")[1] not in node.store("blobs") + node.store("partial")


def test_truncated_blob(node, registry, images):
    image = registry.push(f"oci:{images.path}:large", "large:1")
    layer = images.manifest("large")["layers"][1]
    whole = registry.blob_file(layer["digest"])
    shutil.copy2(whole, whole + ".kept")
    os.truncate(whole, layer["size"] // 2)
    node.start()
    node.write("p.yaml", node.declare(image))
    node.wait_waiting("ErrImagePull", f"layer {layer['digest']}", timeout=40)
    shutil.move(whole + ".kept", whole)
    node.wait_running(timeout=40)


def test_registry_killed_in_the_middle(node, registry, images):
    registry.push(f"oci:{images.path}:large", "large:1")
    digest = images.manifest("large")["layers"][1]["digest"]
    partial = f"{node.state}/images/partial/{digest.split(':')[1]}"
    with SlowProxy(node, 5056, 5055, limit=6 << 20) as proxy:
        node.start()
        node.write("p.yaml", node.declare("127.0.0.1:5056/large:1"))
        wait_for(lambda: os.path.exists(partial) and os.stat(partial).st_size > 5 << 20, 20,
                 "half of it")
        registry.stop()
        proxy.cut()
        assert digest in node.wait_waiting("ErrImagePull", timeout=40)[1]
        have = os.stat(partial).st_size
        assert have > 5 << 20
        registry.start()
        proxy.limit = None
        node.wait_running(timeout=40)
        assert any(f"bytes={have}-" in r for r in proxy.ranges), proxy.ranges


def test_a_registry_that_falls_silent(node, registry, images):
    """Nobody waits for it for ever: another connection goes on where the first one came to."""
    registry.push(f"oci:{images.path}:large", "large:1")
    with SlowProxy(node, 5067, 5055, limit=6 << 20) as proxy:
        node.start()
        node.write("p.yaml", node.declare("127.0.0.1:5067/large:1"))
        wait_for(lambda: proxy.ranges, 90, "it is asked for the rest")
        assert int(proxy.ranges[0][len("bytes="):].split("-")[0]) > 5 << 20
        proxy.limit = None
        node.wait_running(timeout=60)


def test_disk_full(node, registry, images):
    image = registry.push(f"oci:{images.path}:large", "large:1")
    node.ns.run("mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", node.state)
    try:
        node.start()
        node.write("p.yaml", node.declare(image))
        node.wait_waiting("ErrImagePull", "No space left on device")
        node.ns.run("mount", "-o", "remount,size=200m", node.state)
        node.wait_running(timeout=40)
        node.remove("p.yaml")
        wait_for(lambda: not node.pod("p"), 20, "p is gone")
    finally:
        node.take_down()
        wait_for(lambda: not node.pullers(), 10, "no puller")
        node.ns.run("umount", node.state)


def tunnel(one, other):
    """Until one of them ends."""
    to = {one: other, other: one}
    with contextlib.suppress(OSError):
        while True:
            for s in select.select(list(to), [], [])[0]:
                data = s.recv(65536)
                if not data:
                    return
                to[s].sendall(data)


class SlowProxy:
    """HTTP in between: byte limit, status codes, and what was asked for. Also a forward proxy, whose
    clients say the whole address; every name leads to the target."""

    def __init__(self, orch, port, target=None, limit=None, answer=None):
        self.limit, self.ranges, self.requests, self.connections = limit, [], [], []
        self.lock = threading.Lock()
        self.answer, self.active, self.most = answer, 0, 0
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"

            def do_HEAD(self):
                self.do_GET()

            def do_GET(self):
                proxy.requests.append((self.command, self.path))
                if "Range" in self.headers:
                    proxy.ranges.append(self.headers["Range"])
                if proxy.answer and proxy.answer(self):
                    return
                proxy.connections.append(self.connection)
                with contextlib.suppress(OSError, http.client.HTTPException):
                    c = http.client.HTTPConnection("127.0.0.1", target, timeout=10)
                    headers = {k: v for k, v in self.headers.items() if k.lower() != "host"}
                    path = re.sub("^http://[^/]*", "", self.path)
                    c.request(self.command, path, headers={**headers, "Host": f"127.0.0.1:{target}"})
                    r = c.getresponse()
                    self.send_response(r.status)
                    for k, v in r.getheaders():
                        self.send_header(k, v)
                    self.end_headers()
                    proxy.count(1)
                    self.copy(r)
                    proxy.count(-1)

            def do_CONNECT(self):
                proxy.requests.append((self.command, self.path))
                with socket.create_connection(("127.0.0.1", target)) as there:
                    self.send_response(200)
                    self.end_headers()
                    tunnel(self.connection, there)

            def copy(self, r):
                done = 0
                while piece := r.read(65536):
                    self.wfile.write(piece)
                    done += len(piece)
                    while proxy.limit and done > proxy.limit:
                        time.sleep(0.05)
                    if proxy.limit:
                        time.sleep(0.005)

            def log_message(self, *args):
                pass

        def serve():
            self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
            self.server.daemon_threads = True
            ready.set()
            self.server.serve_forever(poll_interval=0.05)

        ready = threading.Event()
        self.thread = threading.Thread(target=in_netns, args=(orch.ns.pid, self.guard, serve))
        self.thread.start()
        # connections to the target are made by threads of the server, which inherit the namespace
        assert ready.wait(10)

    @staticmethod
    def guard(serve):
        serve()

    def count(self, change):
        with self.lock:
            self.active += change
            self.most = max(self.most, self.active)

    def cut(self):
        for c in self.connections:
            with contextlib.suppress(OSError):
                c.shutdown(socket.SHUT_RDWR)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.cut()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_rate_limit(node, registry, images, method):
    """429 with Retry-After: not before that, though the back-off would be shorter."""
    image = registry.push(f"oci:{images.path}:app", "app:1")
    until = time.monotonic() + 14
    refused = []

    def answer(h):
        if "/manifests/" not in h.path or h.command != method or time.monotonic() > until:
            return False
        refused.append(time.monotonic())
        body = b'{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}'
        h.send_response(429)
        h.send_header("Retry-After", "15")
        h.send_header("Content-Length", str(len(body)))
        h.end_headers()
        if method == "GET":
            h.wfile.write(body)
        return True

    with SlowProxy(node, 5057, 5055, answer=answer) as proxy:
        node.start()
        node.write("p.yaml", node.declare(image.replace("5055", "5057")))
        node.wait_waiting("ErrImagePull", "429 Too Many Requests" + (
            ": TOOMANYREQUESTS: slow down" if method == "GET" else ""))
        node.wait_running(timeout=30)
        assert len(refused) == 1, refused
        assert [p for m, p in proxy.requests if "/manifests/" in p and m == "GET"]


def test_what_is_there_is_not_fetched_again(node, registry, images):
    """A tag is looked up by HEAD, which registries do not count, and so is a digest."""
    registry.push(f"oci:{images.path}:app", "app:1")
    digest = images.descriptor("app")["digest"]
    with SlowProxy(node, 5061, 5055) as proxy:
        node.start()
        node.write("p.yaml", node.declare("127.0.0.1:5061/app:1"))
        node.wait_running()
        manifests = [(m, p) for m, p in proxy.requests if "/manifests/" in p]
        assert manifests == [("HEAD", "/v2/app/manifests/1"), ("GET", f"/v2/app/manifests/{digest}")]
        for name, image in (("q", "127.0.0.1:5061/app:1"), ("r", f"127.0.0.1:5061/app@{digest}")):
            del proxy.requests[:]
            node.write(f"{name}.yaml", node.declare(image, name, policy="Always"))
            node.wait_running(name)
            assert [m for m, p in proxy.requests if p.startswith("/v2/app/")] == ["HEAD"], \
                proxy.requests


def test_layers_come_side_by_side(node, registry, images, tmp_path):
    layout = oci.Layout(f"{tmp_path}/four.oci")
    layout.image("t", [oci.Layer().add(f"f{n}", data=os.urandom(1 << 20)).done() for n in range(4)])
    registry.push(f"oci:{layout.path}:t", "four:1")
    with SlowProxy(node, 5065, 5055, limit=256 << 10) as proxy:
        node.start()
        node.write("p.yaml", node.declare("127.0.0.1:5065/four:1"))
        wait_for(lambda: proxy.active == 3, 20, "three of the four layers are on their way")
        proxy.limit = None
        wait_for(lambda: len(node.store("layers")) == 4, 20, "all are there")
        assert proxy.most == 3


def test_a_registry_without_head(node, registry, images):
    registry.push(f"oci:{images.path}:app", "app:1")

    def answer(h):
        if h.command != "HEAD":
            return False
        h.send_error(405)
        return True

    with SlowProxy(node, 5062, 5055, answer=answer) as proxy:
        node.start()
        node.write("p.yaml", node.declare("127.0.0.1:5062/app:1"))
        node.wait_running()
        assert ("GET", "/v2/app/manifests/1") in proxy.requests
        node.write("q.yaml", node.declare("127.0.0.1:5062/app:nope", "q"))
        node.wait_waiting("ErrImagePull", "not found", "q")


def test_progress_in_events(node, registry, images):
    """A pull that takes long tells its quarters."""
    registry.push(f"oci:{images.path}:large", "large:1")
    size = sum(layer["size"] for layer in images.manifest("large")["layers"])
    with SlowProxy(node, 5063, 5055, limit=4 << 20) as proxy:
        node.start()
        node.write("p.yaml", node.declare("127.0.0.1:5063/large:1"))
        wait_for(lambda: node.messages("Pulling"), 20, "the pull begins")
        time.sleep(6)
        proxy.limit = int(size * 0.6)
        wait_for(lambda: [m for m in node.messages("Pulling") if ": 50 % of " in m], 20, "half of it")
        proxy.limit = None
        node.wait_running(timeout=40)
        assert not [e for e in node.events("Pulling") if e["count"] > 1]


def test_progress_on_a_terminal(node, registry, images):
    registry.push(f"oci:{images.path}:large", "large:1")
    with SlowProxy(node, 5066, 5055, limit=8 << 20) as proxy:
        node.start()
        with Terminal(node, "image", "pull", "127.0.0.1:5066/large:1") as t:
            size = sum(layer["size"] for layer in images.manifest("large")["layers"])
            t.expect(f" of {(size + 999999) // 1000000} MB (3")	# 8 of 25
            proxy.limit = None
            t.expect(images.descriptor("large")["digest"])
            assert t.wait() == 0


def used(node, sub):
    """Bytes of the files below."""
    return sum(os.lstat(os.path.join(d, f)).st_size
               for d, _, files in os.walk(f"{node.state}/images/{sub}") for f in files)


def test_disk_usage(node, registry, images):
    """What is shown is what is on the disk, and what a prune would give back."""
    app, large = (registry.push(f"oci:{images.path}:{n}", f"{n}:1") for n in ("app", "large"))
    node.start()
    node.write("p.yaml", node.declare(app))
    node.wait_running()
    node.ctl("image", "pull", large)

    def usage():
        return json.loads(node.ctl("image", "ls", "-o", "json").stdout)["usage"]
    u = usage()
    assert (u["images"], u["layers"]) == (2, len(node.store("layers")))
    assert u["blobBytes"] >= used(node, "blobs") > 0 and u["layerBytes"] >= used(node, "layers")
    assert (24 << 20) < u["unusedBytes"] <= u["layerBytes"] + u["blobBytes"]
    assert f"2 images, {u['layers']} layers: " in node.ctl("image", "ls", "-o", "wide").stderr
    node.ctl("image", "prune", "--all")
    after = usage()
    assert (after["images"], after["unusedBytes"]) == (1, 0)
    assert after["layerBytes"] < u["layerBytes"] - (24 << 20)


def test_proxy(node, registry, images, monkeypatch):
    """As curl has it: http_proxy and no_proxy of orchd's environment."""
    registry.push(f"oci:{images.path}:app", "app:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:5064")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    node.settings(registries=[{"host": "registry.invalid:5055", "insecure": True}])
    with SlowProxy(node, 5064, 5055) as proxy:
        node.start()
        node.write("p.yaml", node.declare("registry.invalid:5055/app:1"))
        node.wait_running()
        assert ("HEAD", "http://registry.invalid:5055/v2/app/manifests/1") in proxy.requests
        del proxy.requests[:]
        node.write("q.yaml", node.declare(f"{registry.host}/app:1", "q"))
        node.wait_running("q")
        assert proxy.requests == []


def test_tls_through_a_proxy(node, private, images, monkeypatch):
    """It sees where to, and no more; the certificate is the registry's."""
    private.push(f"oci:{images.path}:app", "app:1")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:5068")
    node.settings(registries=[{"host": "registry.test:5055", "caFile": private.ca}])
    with SlowProxy(node, 5068, 5055) as proxy:
        node.start()
        node.write("s.yaml", pull_secret("good", "registry.test:5055", "joe", "s3cret"))
        node.write("p.yaml", node.declare("registry.test:5055/app:1", secrets=["good"]))
        node.wait_running()
        assert set(proxy.requests) == {("CONNECT", "registry.test:5055")}


def test_bearer_token(node, registry, images):
    """A token service as Docker Hub has it: realm, service and scope, Basic there, Bearer here."""
    image = registry.push(f"oci:{images.path}:app", "team/app:1").replace("5055", "5058")
    asked = []

    def reply(h, code, body=b"", **headers):
        h.send_response(code)
        for k, v in headers.items():
            h.send_header(k.replace("_", "-"), v)
        h.send_header("Content-Length", str(len(body)))
        h.end_headers()
        h.wfile.write(body)
        return True

    def answer(h):
        auth = h.headers.get("Authorization", "")
        if h.path.startswith("/token"):
            asked.append((h.path, auth))
            good = auth == "Basic " + base64.b64encode(b"joe:s3cret").decode()
            return reply(h, 200 if good else 401, b'{"token":"T0KEN"}' if good else b"")
        if auth != "Bearer T0KEN":
            return reply(h, 401, WWW_Authenticate='Bearer realm="http://127.0.0.1:5058/token",'
                         'service="the registry",scope="repository:team/app:pull"')
        del h.headers["Authorization"]
        return False

    with SlowProxy(node, 5058, 5055, answer=answer):
        node.start()
        node.write("s.yaml", pull_secret("good", "127.0.0.1:5058", "joe", "s3cret"))
        node.write("p.yaml", node.declare(image, secrets=["good"]))
        node.wait_running()
        assert set(asked) == {("/token?service=the%20registry&scope=repository%3Ateam%2Fapp%3Apull",
                               asked[0][1])}
        node.write("q.yaml", node.declare(image, "q", policy="Always"))
        node.wait_waiting("ErrImagePull", "failed to fetch a token", "q")


def test_mirror(node, registry, images):
    registry.push(f"oci:{images.path}:app", "hub/team/app:1")
    node.settings(registries=[{"host": "registry.invalid",
                               "mirrors": ["127.0.0.1:1/x", f"{registry.host}/hub"]}])
    node.start()
    node.write("p.yaml", node.declare("registry.invalid/team/app:1"))
    p = node.wait_running()
    assert container_status(p)["imageID"].startswith("registry.invalid/team/app@sha256:")


# ---- policy ----

def sign(registry, layout, tag, name, key, **change):
    """What `cosign sign` leaves in the registry."""
    digest = layout.descriptor(tag)["digest"]
    payload = json.dumps({"critical": {
        "identity": {"docker-reference": change.get("reference", f"{registry.host}/{name}")},
        "image": {"docker-manifest-digest": change.get("digest", digest)},
        "type": "cosign container image signature"}, "optional": None}).encode()
    r = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=payload,
                       capture_output=True, check=True)
    d = Layout(f"{layout.path}-sig-{name}")
    layer = dict(d.put_blob(payload), annotations={
        "dev.cosignproject.cosign/signature": base64.b64encode(r.stdout).decode()},
        mediaType="application/vnd.dev.cosign.simplesigning.v1+json")
    config = dict(d.put_blob(json.dumps({
        "architecture": "", "os": "", "config": {}, "rootfs": {"type": "layers", "diff_ids": [
            layer["digest"]]}}).encode()), mediaType="application/vnd.oci.image.config.v1+json")
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": config, "layers": [layer]}
    put_tag(d, "sig", json.dumps(manifest).encode())
    tag = digest.replace(":", "-") + ".sig"
    registry.push(f"oci:{d.path}:sig", f"{name}:{tag}", args=["--preserve-digests"])


def test_signatures(node, registry, images, tmp_path):
    key, pub = f"{tmp_path}/key.pem", f"{tmp_path}/pub.pem"
    run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
    run("openssl", "ec", "-in", key, "-pubout", "-out", pub)
    other = f"{tmp_path}/other.pem"
    run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", other)
    names = ("good", "unsigned", "other-key", "other-image")
    refs = {n: registry.push(f"oci:{images.path}:app", f"{n}:1") for n in names}
    sign(registry, images, "app", "good", key)
    sign(registry, images, "app", "other-key", other)
    sign(registry, images, "app", "other-image", key, reference=refs["good"].rsplit(":", 1)[0])
    node.settings(policies=[{"match": "", "verdict": "reject"},
                            {"match": registry.host, "verdict": "signed", "keyFile": pub}])
    node.start()
    node.write("all.yaml", *[node.declare(refs[n], n) for n in names],
               node.declare("docker.io/library/refused:1", "refused"))
    node.wait_running("good")
    for n in names[1:]:
        node.wait_waiting("SignatureValidationFailed", "no signature by the policy's key", n)
    node.wait_waiting("SignatureValidationFailed", 'the policy for "" refuses it', "refused")


def test_policy_by_digest(node, registry, images):
    app = registry.push(f"oci:{images.path}:app", "app:1")
    large = registry.push(f"oci:{images.path}:large", "app:2")
    digest = images.descriptor("app")["digest"]
    node.settings(policies=[{"match": registry.host, "verdict": "reject"},
                            {"match": f"{registry.host}/app@{digest}", "verdict": "accept"}])
    node.start()
    node.write("p.yaml", node.declare(app), node.declare(large, "q"))
    node.wait_running()
    node.wait_waiting("SignatureValidationFailed", "refuses it", "q")


# ---- the cage ----

def test_the_fetcher_is_caged(node, registry, images):
    image = registry.push(f"oci:{images.path}:large", "large:1")
    with SlowProxy(node, 5059, 5055, limit=2 << 20) as proxy:
        node.start()
        node.write("p.yaml", node.declare(image.replace("5055", "5059")))
        fetcher = wait_for(lambda: [p for p in node.pullers() if status_of(p)["Seccomp"] == "2" and
                                    b"orch-pull" in open(f"/proc/{p}/comm", "rb").read()], 20,
                           "a fetcher")[0]
        s = status_of(fetcher)
        assert len(set(s["Uid"].split())) == 1 and s["Uid"].split()[0] != "0"
        assert len(set(s["Gid"].split())) == 1 and s["Gid"].split()[0] != "0"
        assert s.get("Groups", "").strip() == ""
        assert s["NoNewPrivs"] == "1"
        for caps in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            assert int(s[caps], 16) == 0, caps
        fds = [os.readlink(f"/proc/{fetcher}/fd/{f}") for f in os.listdir(f"/proc/{fetcher}/fd")]
        inside = [f for f in fds if f.startswith(node.dir) and "/partial/" not in f]
        assert not inside or inside == [node.errlog], inside
        proxy.limit = None
        node.wait_running(timeout=40)


def status_of(pid):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/status") as f:
        return dict(line.rstrip("\n").split(":\t", 1) if ":\t" in line else
                    line.rstrip("\n").split(":", 1) for line in f)
    return {"Seccomp": ""}


def test_orchd_killed_in_the_middle(node, registry, images):
    """The puller ends, too, and what came so far is not fetched again."""
    registry.push(f"oci:{images.path}:large", "large:1")
    digest = images.manifest("large")["layers"][1]["digest"]
    partial = f"{node.state}/images/partial/{digest.split(':')[1]}"
    with SlowProxy(node, 5060, 5055, limit=6 << 20) as proxy:
        node.start()
        node.write("p.yaml", node.declare("127.0.0.1:5060/large:1"))
        wait_for(lambda: os.path.exists(partial) and os.stat(partial).st_size > 5 << 20, 20,
                 "half of it")
        node.kill9()
        wait_for(lambda: not node.pullers(), 10, "no puller is left")
        have = os.stat(partial).st_size
        proxy.limit = None
        node.start()
        node.wait_running(timeout=40)
        assert f"bytes={have}-" in proxy.ranges


class Here:
    """This process's own namespaces, in place of an orchd's."""

    run = Namespace.run

    def __init__(self, directory):
        self.dir, self.pid, self.ns = directory, os.getpid(), self

    def enter(self, *args):
        return [str(a) for a in args]


def begin_pull(tmp, store, image):
    """orch-pull as orchd starts it: its job on standard input, its news on standard output."""
    arch = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
    job = {"task": "image", "store": store.path, "image": image, "architecture": arch}
    with open(f"{tmp}/job", "w+") as f:
        f.write("".join(f"{k} {len(v)}\n{v}\n" for k, v in job.items()))
        f.seek(0)
        return subprocess.Popen([f"{BUILD}/orch-pull"], stdin=f, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)


def pullers_here():
    return [p for p in os.listdir("/proc")
            if p.isdigit() and exe_is(p, "orch-pull") and same_netns(p, os.getpid())]


def test_kills_at_random_moments(tmp_path):
    """Of the whole of a pull, at any moment: the store is whole each time, nothing goes on, and what
    was finished is not done again."""
    with ram(str(tmp_path), "50%") as store, Registry(Here(str(tmp_path))) as registry:
        layout = oci.Layout(f"{tmp_path}/k.oci")
        layout.image("t", oci.all_layers(str(tmp_path)))
        image = registry.push(f"oci:{layout.path}:t", "k:1")
        kill_often(str(tmp_path), store, image)


def kill_often(tmp, store, image):
    whole = 9
    for _ in range(3):	# other work on the machine makes it only longer
        store("gc", "all")
        start = time.monotonic()
        out, said = begin_pull(tmp, store, image).communicate(timeout=60)
        whole = min(whole, time.monotonic() - start)
        assert out.splitlines()[-1].startswith("done "), out + said
    tree, expected = merged(tmp, store, image), store.everything()
    rng, finished = random.Random(7), 0
    store("gc", "all")
    for n in range(KILLS):
        p = begin_pull(tmp, store, image)
        try:
            p.wait(rng.uniform(0, whole * 1.1))
        except subprocess.TimeoutExpired:
            p.send_signal(signal.SIGKILL)
        out, said = p.communicate()
        finished += p.returncode == 0
        assert p.returncode in (0, -signal.SIGKILL), out + said
        wait_for(lambda: not pullers_here(), 10, "its processes end with it")
        if store("ls"):	# whole, whenever it is there
            assert oci.differences(merged(tmp, store, image), tree) == []
        if n % 4 == 3:	# else it goes on where the last one was killed
            store("gc", "all")
            assert store.files("layers", "blobs", "names", "partial") == set()
    assert finished < 0.85 * KILLS	# the others were killed in the middle
    out, said = begin_pull(tmp, store, image).communicate(timeout=60)
    assert out.splitlines()[-1].startswith("done "), out + said
    store("ls")
    assert store.everything() == expected
    assert oci.differences(merged(tmp, store, image), tree) == []


def test_unused_images_go_when_the_disk_is_full(node, registry, images):
    """By the thresholds of orchd.yaml, least recently used first, and none that a pod uses."""
    app, large = (registry.push(f"oci:{images.path}:{n}", f"{n}:1") for n in ("app", "large"))
    other = registry.push(f"oci:{images.path}:large", "other:1")
    node.settings(gcHighThresholdPercent=1, gcLowThresholdPercent=0, minimumGCAgeSeconds=0)
    node.ns.run("mount", "-t", "tmpfs", "-o", "size=300m", "tmpfs", node.state)
    try:
        node.start()
        node.write("p.yaml", node.declare(app))
        node.wait_running()
        for image in (large, other):
            node.ctl("image", "pull", image)
        node.ctl("image", "rm", other)	# orchd looks at the disk then
        names = lambda: [i["name"] for i in json.loads(
            node.ctl("image", "ls", "-o", "json").stdout)["items"]]
        wait_for(lambda: names() == [app], 20, "what nobody uses goes")
        wait_for(lambda: "removed unused images" in node.log(), 10, "orchd says so")
        assert node.exec("p", "/bin/cat", "/etc/second").stdout == "second layer\n"
        node.remove("p.yaml")
        wait_for(lambda: not node.pod("p"), 20, "p is gone")
    finally:
        node.take_down()
        wait_for(lambda: not node.pullers(), 10, "no puller")
        node.ns.run("umount", node.state)


# ---- orchctl image ----

def test_verbs(node, registry, images, tmp_path):
    image = registry.push(f"oci:{images.path}:app", "team/app:1")
    node.start()
    out = node.ctl("image", "pull", image).stdout
    digest = images.descriptor("app")["digest"]
    assert digest in out
    listed = json.loads(node.ctl("image", "ls", "-o", "json").stdout)
    assert [i["name"] for i in listed["items"]] == [image]
    assert image.rsplit(":", 1)[0] in node.ctl("image", "ls").stdout
    shown = json.loads(node.ctl("image", "inspect", image).stdout)
    assert shown["digest"] == digest and shown["env"] == ["NAME=world"] and shown["user"] == "web"
    r = node.ctl("image", "pull", f"{registry.host}/nothing:1", check=False)
    assert r.returncode == 1 and "not found" in r.stderr

    tar = f"{tmp_path}/app.tar"
    node.ctl("image", "export", image, tar)
    back = json.loads(run("skopeo", "inspect", f"oci-archive:{tar}"))
    assert back["Digest"] == digest

    node.write("p.yaml", node.declare(image, policy="Never"))
    node.wait_running()
    node.ctl("image", "rm", image)
    assert json.loads(node.ctl("image", "ls", "-o", "json").stdout)["items"] == []
    node.ctl("image", "prune")
    assert node.store("layers"), "a running container keeps its layers"
    assert node.exec("p", "/bin/cat", "/etc/second").stdout == "second layer\n"
    with open(tar, "rb") as f:
        r = node.ctl("image", "import", "-", stdin=f, check=False)
        assert r.returncode == 1 and "has no name" in r.stderr
        node.ctl("image", "import", "-", "from/file:1", stdin=f)
        r = subprocess.Popen(["cat"], stdin=f, stdout=subprocess.PIPE)
        node.ctl("image", "import", "-", image, stdin=r.stdout)
        r.wait()
    assert json.loads(node.ctl("image", "inspect", "from/file:1").stdout)["digest"] == digest
    node.ctl("image", "rm", "from/file:1", image)
    node.ctl("image", "import", tar, image)
    assert json.loads(node.ctl("image", "inspect", image).stdout)["digest"] == digest
    node.remove("p.yaml")
    wait_for(lambda: not node.store("pins"), 20, "the pod is gone")
    node.ctl("image", "prune", "--all")
    assert node.store("layers") == [] and node.store("blobs") == []
    r = node.ctl("image", "rm", image, check=False)
    assert r.returncode == 1
