# SPDX-License-Identifier: GPL-2.0-or-later
"""The directory: what is read, what a broken or vanished file does not do, plan and guard."""

import json
import os
import random
import shutil
import time

import pytest

from harness import (configmap, container, deployment, documents, namespace, never, pod, service,
                     wait_for)


def sleeper(orch, name, ns=None, **more):
    return pod(name, container(orch.rootfs, "/bin/probe", "sleep"), ns=ns, **more)


def shop(orch):
    """A few running things over several files and a stack."""
    orch.write("a.yaml", sleeper(orch, "a"), configmap("ca", k="v"))
    orch.write("web.yaml", deployment("web", 2, container(orch.rootfs, "/bin/probe", "sleep")),
               service("web", 80, 8080))
    orch.write("shop/b.yaml", sleeper(orch, "b"))
    orch.write("shop/c.json", sleeper(orch, "c"))
    orch.wait_ready(5)
    orch.wait_settled()
    return orch.all_pids()


def unchanged(orch, before, seconds=1):
    never(lambda: before - orch.all_pids(), seconds, "a process is gone")
    orch.wait_settled()
    assert orch.all_pids() == before


def errors(orch):
    return [m for m in orch.status()["messages"] if not m.get("warning")]


@pytest.mark.subset
def test_broken_file_keeps_its_last_good_objects(orch):
    before = shop(orch)
    good = orch.read("a.yaml")
    for bad in ("[", "kind: Pod\n  name: [", good.replace('"Pod"', '"Pot"'), good[:200],
                good.replace('"command"', '"comand"')):
        orch.write("a.yaml", bad)
        # the beginning of the last good file may be one half written: that is told later
        wait_for(lambda: any("a.yaml" in json.dumps(m) for m in orch.status()["messages"]), 12,
                 f"{bad[:20]!r} is told")
        unchanged(orch, before, 0.3)
        orch.write("a.yaml", good)
        wait_for(lambda: not errors(orch), 5)
    unchanged(orch, before, 0.3)


def test_messages_have_a_place_and_a_suggestion(orch):
    text = documents(sleeper(orch, "a")).replace('"command"', '"comand"')
    orch.write("a.yaml", text)
    line = 1 + [i for i, l in enumerate(text.splitlines()) if "comand" in l][0]
    wait_for(lambda: errors(orch), 5)
    for command, code in (("status", 0), ("plan", 3)):
        r = orch.ctl(command, check=False)
        assert r.returncode == code, (command, r.returncode, r.stdout, r.stderr)
        assert f"a.yaml:{line}:" in r.stdout + r.stderr
        assert 'command' in r.stdout + r.stderr
    # and it blocks nothing else
    orch.write("b.yaml", sleeper(orch, "b"))
    orch.wait_ready(1)


@pytest.mark.subset
def test_empty_and_vanished_directory_delete_nothing(orch):
    before = shop(orch)
    away = orch.config + ".away"
    os.rename(orch.config, away)
    unchanged(orch, before)
    orch.restart()
    unchanged(orch, before)
    os.mkdir(orch.config)
    unchanged(orch, before)
    orch.restart()
    unchanged(orch, before)
    shutil.rmtree(orch.config)
    os.rename(away, orch.config)
    unchanged(orch, before)
    orch.write("d.yaml", sleeper(orch, "d"))	# and it is watched again
    orch.wait_ready(6)


def test_prune_guard(orch):
    before = shop(orch)
    shutil.rmtree(orch.path("shop"))	# all of a stack
    unchanged_seconds = 1
    never(lambda: before - orch.all_pids(), unchanged_seconds, "pruned without being allowed")
    assert orch.status()["guard"]
    r = orch.ctl("apply", check=False)
    assert r.returncode == 4, (r.returncode, r.stdout, r.stderr)
    assert orch.all_pids() == before
    r = orch.ctl("plan", check=False)
    assert "b" in r.stdout and "--allow-delete" in r.stdout + r.stderr
    r = orch.ctl("apply", "--allow-delete=1", check=False)
    assert r.returncode == 4 and orch.all_pids() == before
    orch.ctl("apply", "--allow-delete=2")
    wait_for(lambda: not orch.pod("b") and not orch.pod("c"), 20)
    assert orch.pod("a") and len(orch.pods(app="web")) == 2


def test_few_of_many_are_deleted_without_asking(orch):
    shop(orch)
    orch.remove("shop/b.yaml")
    wait_for(lambda: not orch.pod("b"), 20)
    assert orch.pod("c")


def test_namespace_is_never_deleted_without_asking(orch):
    orch.write("ns.yaml", namespace("team"), *[configmap(f"c{i}", ns="team", k="v")
                                               for i in range(6)])
    wait_for(lambda: len(orch.get("configmaps", ns="team")) >= 6)
    orch.write("ns.yaml", *[configmap(f"c{i}", ns="team", k="v") for i in range(6)])
    never(lambda: not orch.get("namespaces", "team", ns=None), 1, "namespace gone")
    assert orch.ctl("apply", check=False).returncode in (3, 4)


def test_duplicate_definitions_change_nothing(orch):
    before = shop(orch)
    orch.write("z.yaml", sleeper(orch, "a", labels={"from": "z"}))
    told = wait_for(lambda: [m for m in errors(orch) if "z.yaml" in json.dumps(m)], 5)
    assert "a.yaml" in json.dumps(told) and "z.yaml" in json.dumps(told)
    unchanged(orch, before)
    assert orch.pod("a")["metadata"].get("labels", {}).get("from") is None
    orch.remove("z.yaml")
    wait_for(lambda: not errors(orch), 5)


@pytest.mark.subset
def test_moving_an_object_to_another_file_is_no_change(orch):
    before = shop(orch)
    text = orch.read("web.yaml")
    orch.write("moved.yaml", text)
    orch.remove("web.yaml")
    unchanged(orch, before)
    os.rename(orch.path("shop/b.yaml"), orch.path("shop/renamed.yaml"))
    unchanged(orch, before)
    assert orch.plan()["empty"]


def test_names_that_are_not_read(orch):
    text = documents(sleeper(orch, "x"))
    for name in (".hidden.yaml", "x.yaml~", "x.yaml.bak", "x.yaml.123.2026-01-01@00:00:00~", "4913",
                 ".x.yaml.swp", "#x.yaml#", "x.yaml.dpkg-new", "sedABCDEF", "README.md",
                 ".ansible_tmpabcx.yaml"):
        with open(orch.path(name), "w") as f:
            f.write(text)
    os.symlink("nowhere", orch.path(".#x.yaml"))
    os.makedirs(orch.path(".git"))
    with open(orch.path(".git/x.yaml"), "w") as f:
        f.write(text)
    never(orch.pods, 1, "read what it should not")
    assert not orch.status()["messages"]


def test_how_editors_write(orch):
    orch.write("a.yaml", sleeper(orch, "a"))
    orch.wait_ready(1)

    def edited(write):
        edited.n += 1
        orch.write(".x", "")
        write(orch.read("a.yaml").replace('"name": "a"',
                                          '"labels": {"n": "%d"}, "name": "a"' % edited.n, 1)
              if '"labels"' not in orch.read("a.yaml") else
              orch.read("a.yaml").replace(f'"n": "{edited.n - 1}"', f'"n": "{edited.n}"'))
        wait_for(lambda: orch.pod("a")["metadata"].get("labels", {}).get("n") == str(edited.n), 5)
    edited.n = 0
    path = orch.path("a.yaml")

    def in_place(text):
        with open(path, "w") as f:
            f.write(text[:100])
            f.flush()
            time.sleep(0.1)
            f.write(text[100:])

    def rename(text):
        with open(path + ".tmp", "w") as f:
            f.write(text)
        os.rename(path + ".tmp", path)

    def vim(text):	# the old file becomes the backup, a new one is written
        os.rename(path, path + "~")
        with open(path, "w") as f:
            f.write(text)
        os.unlink(path + "~")

    def link(text):	# hard link swapped in
        with open(path + ".tmp", "w") as f:
            f.write(text)
        os.unlink(path)
        os.link(path + ".tmp", path)
        os.unlink(path + ".tmp")
    before = orch.all_pids()
    for way in (in_place, rename, vim, link):
        edited(way)
        orch.wait_settled()
        assert orch.all_pids() == before, f"{way.__name__}: a label restarts nothing"


@pytest.mark.subset
@pytest.mark.flags("--sync", "manual")
def test_plan_says_what_apply_does(orch):
    orch.write("a.yaml", sleeper(orch, "a"), configmap("c", k="v"))
    r = wait_for(lambda: (r := orch.ctl("plan", "--detailed-exitcode", check=False)).returncode == 2
                 and r, 5)
    assert "+ pod/a " in r.stdout and "create" in r.stdout
    never(orch.pods, 0.5, "plan changed something")
    orch.ctl("apply")
    orch.wait_ready(1)
    orch.wait_settled()
    r = orch.ctl("plan", "--detailed-exitcode", check=False)
    assert r.returncode == 0, r.stdout + r.stderr
    assert orch.ctl("apply").returncode == 0
    # an edit shows with its effect, and nothing happens yet
    before = orch.all_pids()
    orch.edit("a.yaml", '"sleep"', '"sleep", "--stubborn"')
    r = orch.ctl("plan", "--detailed-exitcode", check=False)
    assert r.returncode == 2 and "spec.containers[main].command" in r.stdout, r.stdout
    first = json.loads(orch.ctl("plan", "-o", "json").stdout)
    assert json.loads(orch.ctl("plan", "-o", "json").stdout) == first, "stable"
    assert orch.all_pids() == before


@pytest.mark.flags("--sync", "manual")
def test_plan_masks_secrets(orch):
    def write(value):
        orch.write("s.yaml", {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"},
                              "stringData": {"password": value}})
    write("topsecret1")
    orch.ctl("apply")
    write("topsecret2")
    text = orch.ctl("plan").stdout + orch.ctl("plan", "-o", "json").stdout
    assert "password" in text and "topsecret" not in text
    assert "dG9wc2VjcmV0" not in text	# nor in base64


@pytest.mark.flags("--sync", "manual")
def test_saved_plan_gets_stale(orch):
    orch.write("a.yaml", configmap("a", k="1"))
    out = os.path.join(orch.dir, "saved.plan")
    orch.ctl("plan", "--out", out)
    orch.ctl("apply", out)
    assert orch.get("configmaps", "a")["data"] == {"k": "1"}
    orch.write("a.yaml", configmap("a", k="2"))
    orch.ctl("plan", "--out", out)
    orch.write("a.yaml", configmap("a", k="3"))
    assert orch.ctl("apply", out, check=False).returncode == 6


def test_unknown_fields_and_what_would_weaken_security(orch):
    p = sleeper(orch, "a")
    p["spec"]["containers"][0]["imagePullPolice"] = "Always"
    orch.write("a.yaml", p)
    m = wait_for(lambda: errors(orch), 5)
    assert "imagePullPolicy" in json.dumps(m)
    never(orch.pods, 0.5, "runs although its file is wrong")


@pytest.mark.subset
def test_garbage_disturbs_nothing(orch):
    """1,000 writes of garbage, truncations and mutations, none of which is a valid change."""
    before = shop(orch)
    good = {n: orch.read(n) for n in ("a.yaml", "web.yaml", "shop/b.yaml", "shop/c.json")}
    rng = random.Random(20261121)
    began = time.monotonic()

    def mutate(text):
        way = rng.randrange(6)
        at = rng.randrange(1, len(text))
        if way == 0:
            return text[:at].encode() + b"\n: ]["
        if way == 1:
            return bytes(rng.randrange(256) for _ in range(rng.randrange(1, 400))) + b"\n\x00{"
        if way == 2:
            return text[:at].encode() + bytes([rng.randrange(0x80, 0xff)]) + text[at:].encode()
        if way == 3:
            return b"- [" * rng.randrange(1, 3000)
        if way == 4:
            return ("a: &a [x]\n" + "".join(f"k{i}: &k{i} [*a, *a, *a]\n" for i in range(20)) +
                    "kind: Nonsense\n").encode()
        return text.replace('"kind"', f'"k{rng.randrange(1000)}ind"').encode()

    for i in range(1000):
        name = rng.choice(list(good))
        path = orch.path(name)
        data = mutate(good[name])
        if rng.randrange(2):
            with open(path, "wb") as f:	# in place, half of it, then the rest
                f.write(data[:len(data) // 2])
                f.flush()
                f.write(data[len(data) // 2:])
        else:
            tmp = os.path.join(os.path.dirname(path), ".t")
            with open(tmp, "wb") as f:
                f.write(data)
            os.rename(tmp, path)
        if i % 50 == 49:
            time.sleep(0.06)	# longer than the settle time: it is really read
            orch.status()
        if i % 200 == 199:
            assert orch.all_pids() == before, f"after write {i}"
            assert orch.orchd.poll() is None
    for name, text in good.items():
        orch.write(name, text)
    wait_for(lambda: not errors(orch), 10)
    orch.wait_settled()
    assert orch.all_pids() == before
    assert orch.plan()["empty"]
    assert time.monotonic() - began < 60


def test_revisions_are_recorded_only_when_something_changed(orch):
    shop(orch)
    revisions = orch.api("/apis/orch/v1/revisions")["items"]
    last = max(r["revision"] for r in revisions)
    orch.write("a.yaml", orch.read("a.yaml"))
    orch.restart()
    orch.wait_settled()
    assert max(r["revision"] for r in orch.api("/apis/orch/v1/revisions")["items"]) == last
    orch.edit("a.yaml", '"k": "v"', '"k": "w"')
    wait_for(lambda: orch.status()["revision"] == last + 1, 5)
    r = orch.api(f"/apis/orch/v1/revisions/{last + 1}")
    assert any(f["path"].endswith("a.yaml") and '"k": "w"' in f["text"] for f in r["files"])
    assert "a.yaml" in orch.ctl("history", "show", str(last + 1)).stdout


def test_idle_writes_nothing(orch):
    shop(orch)
    time.sleep(0.5)

    def written():
        with open(f"/proc/{orch.orchd.pid}/io") as f:
            return int(dict(l.split(": ") for l in f.read().splitlines())["wchar"])
    first = written()
    time.sleep(3)
    assert written() - first < 200, "an idle daemon writes"
