# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures: a root file system with the probe program in it, and an orchd of the test's own."""

import ctypes
import os
import shutil
import subprocess
import tempfile

import pytest

from harness import BUILD, HERE, Orch, kubectl_path


V2_MODULES = ("test_cgroup", "test_net", "test_shim")	# all of them: about the kernel alone


def sees_a_row():
    """The tests that see what rows of pods do, as FILE::TEST."""
    with open(f"{HERE}/../data/row-tests.tsv") as f:
        rows = [line.split("\t") for line in f if not line.startswith("#")]
    return {what.strip() for _, what in rows}


def pytest_collection_modifyitems(items):
    rows = sees_a_row()
    for item in items:
        name = f"{item.module.__name__}.py::{item.originalname}"
        if item.module.__name__ in V2_MODULES or name in rows:
            item.add_marker(pytest.mark.v2)
    if os.geteuid() == 0:
        return
    for item in items:
        item.add_marker(pytest.mark.skip(reason="needs root"))


@pytest.fixture(scope="session")
def rootfs():
    """An image that holds nothing but /bin/probe, a static program."""
    d = tempfile.mkdtemp(prefix="orch-rootfs.", dir=os.environ.get("ORCH_TEST_TMP", "/tmp"))
    os.chmod(d, 0o755)
    for sub in ("bin", "etc", "proc", "sys", "dev", "tmp", "run", "var"):
        os.mkdir(os.path.join(d, sub))
    shutil.copy2(f"{BUILD}/orch-probe", f"{d}/bin/probe")
    with open(f"{d}/etc/passwd", "w") as f:
        f.write("root:x:0:0:root:/:/bin/probe\nnobody:x:65534:65534::/:/bin/probe\n")
    yield d
    shutil.rmtree(d)


@pytest.fixture
def orch(rootfs, request):
    marker = request.node.get_closest_marker("flags")
    o = Orch(rootfs, marker.args if marker else ())
    try:
        o.start()
        yield o
    finally:
        o.close()


@pytest.fixture
def kube(orch):
    if not kubectl_path():
        pytest.skip("no kubectl on this machine")
    return orch


def isolate():
    """No test meets the machine's network or mounts, nor leaves anything there."""
    clone_newnet, clone_newns = 0x40000000, 0x00020000
    if ctypes.CDLL(None, use_errno=True).unshare(clone_newnet | clone_newns) < 0:
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def pytest_configure(config):
    if os.geteuid() == 0:
        isolate()
    config.addinivalue_line("markers", "flags(*args): further flags of orchd")
    config.addinivalue_line("markers", "subset: also run against the sanitizer build")
    config.addinivalue_line("markers", "v2: also run in the cgroup v2 machine")
