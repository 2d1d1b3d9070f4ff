# SPDX-License-Identifier: GPL-2.0-or-later
"""Layers that exercise what tar can say, an OCI layout of them, and what a tree looks like."""

import gzip
import hashlib
import io
import json
import os
import stat
import struct
import subprocess
import tarfile

OCI = "application/vnd.oci.image."


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Layout:
    """An OCI image layout that one adds blobs and tags to."""

    def __init__(self, path):
        self.path = path
        os.makedirs(f"{path}/blobs/sha256")
        with open(f"{path}/oci-layout", "w") as f:
            f.write('{"imageLayoutVersion": "1.0.0"}')
        self.manifests = []
        self.write_index()

    def blob(self, data):
        digest = sha256(data)
        with open(f"{self.path}/blobs/sha256/{digest[7:]}", "wb") as f:
            f.write(data)
        return digest

    def write_index(self):
        with open(f"{self.path}/index.json", "w") as f:
            json.dump({"schemaVersion": 2, "manifests": self.manifests}, f)

    def image(self, tag, tars, config=None, compress="gzip"):
        """Adds an image of these uncompressed layers; returns the digest of its manifest."""
        layers = []
        for tar in tars:
            blob, suffix = compressed(tar, compress)
            layers.append({"mediaType": f"{OCI}layer.v1.tar{suffix}", "digest": self.blob(blob),
                           "size": len(blob)})
        text = json.dumps({
            "architecture": "amd64", "os": "linux", "created": "2024-02-03T04:05:06Z",
            "config": config or {}, "rootfs": {"type": "layers", "diff_ids": [sha256(t) for t in tars]},
        }).encode()
        manifest = json.dumps({
            "schemaVersion": 2, "mediaType": f"{OCI}manifest.v1+json",
            "config": {"mediaType": f"{OCI}config.v1+json", "digest": self.blob(text),
                       "size": len(text)},
            "layers": layers,
        }).encode()
        digest = self.blob(manifest)
        self.manifests.append({
            "mediaType": f"{OCI}manifest.v1+json", "digest": digest, "size": len(manifest),
            "annotations": {"org.opencontainers.image.ref.name": tag}})
        self.write_index()
        return digest


def compressed(tar, how):
    if how == "gzip":
        return gzip.compress(tar, 6, mtime=0), "+gzip"
    if how == "zstd":
        return subprocess.run(["zstd", "-q", "-c"], input=tar, stdout=subprocess.PIPE,
                              check=True).stdout, "+zstd"
    return tar, ""


class Layer:
    """A tar archive in the making."""

    def __init__(self, form=tarfile.PAX_FORMAT):
        self.out = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.out, mode="w", format=form, encoding="utf-8",
                                errors="surrogateescape")

    def add(self, name, kind=tarfile.REGTYPE, data=b"", mode=None, uid=0, gid=0, mtime=1700000000,
            link="", dev=(0, 0), pax=None):
        info = tarfile.TarInfo(name)
        info.type = kind
        info.mode = mode if mode is not None else (0o755 if kind == tarfile.DIRTYPE else 0o644)
        info.uid, info.gid, info.mtime = uid, gid, mtime
        info.linkname = link
        info.devmajor, info.devminor = dev
        info.size = len(data)
        info.pax_headers = pax or {}
        self.tar.addfile(info, io.BytesIO(data))
        return self

    def dir(self, name, **how):
        return self.add(name, tarfile.DIRTYPE, **how)

    def symlink(self, name, link, **how):
        return self.add(name, tarfile.SYMTYPE, link=link, mode=0o777, **how)

    def link(self, name, link, **how):
        return self.add(name, tarfile.LNKTYPE, link=link, **how)

    def done(self):
        self.tar.close()
        return self.out.getvalue()


def raw_header(name, size=0, kind=b"0", mode=b"0000644\0", uid=b"0000000\0", gid=b"0000000\0",
               mtime=b"14524360000\0", magic=b"ustar\x0000", prefix=b"", link=b"", sizefield=None):
    """One header block, field by field: what no writer would write."""
    h = bytearray(512)
    h[0:len(name)] = name
    h[100:108], h[108:116], h[116:124] = mode, uid, gid
    h[124:136] = sizefield or b"%011o\0" % size
    h[136:148] = mtime
    h[148:156] = b" " * 8
    h[156:157] = kind
    h[157:157 + len(link)] = link
    h[257:257 + len(magic)] = magic
    h[345:345 + len(prefix)] = prefix
    h[148:156] = b"%06o\0 " % sum(h)
    return bytes(h)


def padded(data):
    return data + b"\0" * (-len(data) % 512)


END = b"\0" * 1024


def base_layer():
    layer = Layer()
    layer.dir(".", mode=0o755, mtime=1600000001)
    for name in ("bin", "dev", "etc", "etc/conf.d", "home", "home/user", "opt", "opt/app", "opt/gone",
                 "tmp", "usr", "usr/lib", "var", "var/cache", "var/lib"):
        layer.dir(name, mtime=1600000100 + len(name))
    layer.dir("tmp", mode=0o1777, mtime=1600000007)
    layer.dir("home/user", mode=0o2750, uid=1000, gid=100000, mtime=1600000008)
    layer.add("etc/passwd", data=b"root:x:0:0::/root:/bin/sh\nweb:x:101:102::/:\n", mode=0o644)
    layer.add("etc/group", data=b"root:x:0:\nweb:x:102:\nlog:x:103:other,web\n")
    layer.add("bin/su", data=b"\x7fELF" * 100, mode=0o4755, mtime=1600000009.25)
    layer.add("bin/wall", data=b"x", mode=0o2755, gid=5)
    layer.add("home/user/secret", data=b"s" * 1234, mode=0o600, uid=1000, gid=1000)
    layer.add("home/user/high", data=b"h", uid=4294967294, gid=2000000000)
    layer.add("etc/empty", mode=0)
    for n in range(8):
        layer.add(f"opt/gone/f{n}", data=b"%d" % n)
        layer.add(f"var/cache/c{n}", data=b"c" * n * 700)
    layer.symlink("usr/bin", "../bin", uid=7, gid=8, mtime=1600000010)
    layer.symlink("etc/absolute", "/etc/passwd")
    layer.symlink("etc/dangling", "/no/such/file")
    layer.symlink("opt/replaced", "app")
    layer.add("opt/file-then-dir", data=b"was a file")
    layer.dir("opt/dir-then-file")
    layer.add("opt/dir-then-file/inner", data=b"i")
    return layer.done()


def nodes_layer():
    layer = Layer()
    layer.dir("dev", mtime=1600000020)
    layer.add("dev/null", tarfile.CHRTYPE, dev=(1, 3), mode=0o666)
    layer.add("dev/loop7", tarfile.BLKTYPE, dev=(7, 7), mode=0o660, gid=6)
    layer.add("dev/initctl", tarfile.FIFOTYPE, mode=0o600, uid=3)
    return layer.done()


def links_layer():
    layer = Layer()
    layer.dir("links")
    layer.add("links/a", data=b"one inode", mode=0o640, uid=5, mtime=1600000030)
    layer.link("links/b", "links/a")
    layer.link("links/c", "./links/b")
    layer.link("opt/d", "/links/a")
    layer.symlink("links/s", "a")
    layer.link("links/s2", "links/s")
    layer.dir("links", mtime=1600000031)
    layer.dir("opt", mtime=1600000032)
    return layer.done()


def xattrs_layer():
    capability = struct.pack("<IIIII", 0x02000001, 1 << 10, 0, 0, 0)
    layer = Layer()
    text = capability.decode("utf-8", "surrogateescape")
    layer.dir("xattr", pax={"SCHILY.xattr.user.on-dir": "yes"})
    layer.add("xattr/cap", data=b"program", mode=0o755, pax={"SCHILY.xattr.security.capability": text})
    layer.add("xattr/many", data=b"m", pax={f"SCHILY.xattr.user.n{n}": "v" * n for n in range(1, 20)})
    layer.add("xattr/trusted", data=b"t", uid=9, pax={"SCHILY.xattr.trusted.mark": "line\nline"})
    layer.symlink("xattr/link", "many")
    return layer.done()


def gnu_tar(tmp, files, *flags):
    """What GNU tar itself makes of files that it finds."""
    src = f"{tmp}/gnu"
    os.makedirs(f"{src}/sparse", exist_ok=True)
    for name, pieces, size in files:
        with open(f"{src}/{name}", "wb") as f:
            for offset, data in pieces:
                f.seek(offset)
                f.write(data)
            f.truncate(size)
    out = subprocess.run(["tar", "-C", src, "--sort=name", "--owner=0", "--group=0",
                          "--mtime=@1600000040", "--sparse", *flags, "-cf", "-", "sparse"],
                         stdout=subprocess.PIPE, check=True).stdout
    subprocess.run(["rm", "-rf", src], check=True)
    return out


def sparse_files(prefix):
    many = [(n * 65536, b"piece %d" % n) for n in range(60)]
    return [(f"sparse/{prefix}-hole", [], 3 << 20), (f"sparse/{prefix}-end", [(0, b"x" * 5000)], 1 << 20),
            (f"sparse/{prefix}-start", [(1 << 20, b"y" * 5000)], (1 << 20) + 5000),
            (f"sparse/{prefix}-many", many, 60 * 65536 + 17),
            (f"sparse/{prefix}-dense", [(0, b"z" * 100000)], 100000)]


def names_layer(form):
    layer = Layer(form)
    long = "n" * 200
    layer.dir(f"names{form}")
    deep = f"names{form}"
    for n in range(12):
        deep = f"{deep}/{n:02d}-{'d' * 30}"
        layer.dir(deep)
    layer.add(f"{deep}/{long}", data=b"deep")
    layer.symlink(f"names{form}/to-deep", f"/{deep}/{long}")
    layer.link(f"names{form}/deep-link", f"{deep}/{long}")
    for name in ("caf\u00e9", "cafe\u0301", "\u65e5\u672c\u8a9e", "space  d", "new\nline", "back\\slash",
                 "quo\"te", "=equals", "-dash", "*star", ".hidden", "..dots", "x" * 255):
        layer.add(f"names{form}/{name}", data=name.encode())
    layer.dir(f"names{form}", mtime=1600000050)
    return layer.done()


def whiteouts_layer():
    layer = Layer()
    layer.dir("opt", mtime=1600000060)
    layer.add("opt/gone/.wh.f0")
    layer.add("opt/gone/.wh.f1")
    layer.add("opt/gone/f1", data=b"again", mode=0o700)
    layer.dir("opt/gone", mode=0o711, mtime=1600000061)
    layer.dir("var/cache", mtime=1600000062, uid=44)
    layer.add("var/cache/.wh..wh..opq")
    layer.add("var/cache/new", data=b"only this")
    layer.add("etc/.wh.conf.d")
    layer.dir("etc", mtime=1600000063)
    layer.add("home/.wh.user")
    layer.dir("home/user", mode=0o700, uid=1001, mtime=1600000064)
    layer.add("home/user/fresh", data=b"fresh")
    layer.dir("home", mtime=1600000065)
    layer.dir("opt/replaced", mode=0o750, mtime=1600000066)
    layer.add("opt/replaced/in", data=b"now a directory")
    layer.dir("opt/replaced", mode=0o750, mtime=1600000066)
    layer.dir("opt/file-then-dir", mtime=1600000067)
    layer.add("opt/dir-then-file", data=b"now a file")
    layer.dir("var", mtime=1600000068)
    layer.dir("var/cache", mtime=1600000069, uid=44)
    layer.dir("opt", mtime=1600000060)
    return layer.done()


def again_layer():
    """The same names more than once in one archive: the last one counts."""
    layer = Layer()
    layer.dir("again", mtime=1)
    layer.add("again/file", data=b"first" * 1000, mode=0o600)
    layer.add("again/file", data=b"second", mode=0o755, uid=12)
    layer.add("again/becomes-link", data=b"f")
    layer.symlink("again/becomes-link", "file")
    layer.symlink("again/becomes-file", "file")
    layer.add("again/becomes-file", data=b"own contents")
    layer.dir("again/sub", mode=0o700)
    layer.add("again/sub/x", data=b"x")
    layer.dir("again/sub", mode=0o755, uid=13, mtime=1600000071)
    layer.dir("again", mtime=1600000070)
    return layer.done()


def implied_layer():
    """Names as archivers write them by hand: no parents, slashes in front, dots."""
    layer = Layer()
    layer.add("etc/motd", data=b"no etc in this layer")
    layer.add("./usr/./lib/x.so", data=b"so")
    layer.add("/var/lib/data", data=b"d")
    layer.add("home/user/more", data=b"more")
    layer.add("tmp//double", data=b"dd")
    return layer.done()


def odd_layer():
    """Old and odd headers, by hand."""
    big = (4294967294).to_bytes(8, "big")
    out = b""
    out += raw_header(b"v7/", kind=b"\0", magic=b"", mode=b"0000755\0")
    out += raw_header(b"v7/plain", 5, kind=b"\0", magic=b"") + padded(b"plain")
    out += raw_header(b"base256", uid=b"\x80" + big[1:], mtime=b"\xff" * 11 + b"\xf0")
    out += raw_header(b"leaf", 4, prefix=b"v7") + padded(b"leaf")
    out += raw_header(b"spaces", 2, mode=b"   644 \0", uid=b"     12 ") + padded(b"sp")
    out += raw_header(b"bigsize", kind=b"0", sizefield=b"\x80" + b"\0" * 9 + b"\x02\x03") + \
        padded(b"q" * 515)
    out += raw_header(b"v7/", kind=b"5", magic=b"", mode=b"0000755\0")
    return out + END + b"\0" * 8192


def all_layers(tmp):
    """Ten layers, and one that is empty."""
    return [
        base_layer(), nodes_layer(), links_layer(), xattrs_layer(),
        gnu_tar(tmp, sparse_files("pax10"), "--format=posix", "--sparse-version=1.0",
                "--pax-option=exthdr.name=%d/h/%f,delete=atime,delete=ctime"),
        gnu_tar(tmp, sparse_files("pax01"), "--format=posix", "--sparse-version=0.1"),
        names_layer(tarfile.GNU_FORMAT), names_layer(tarfile.PAX_FORMAT), END,
        whiteouts_layer(), again_layer(), implied_layer(), odd_layer(),
    ]


# ---- what a tree looks like ----

def contents(path, st):
    if stat.S_ISLNK(st.st_mode):
        return os.readlink(path)
    if stat.S_ISREG(st.st_mode):
        with open(path, "rb") as f:
            return sha256(f.read())
    return None


def xattrs(path):
    names = os.listxattr(path, follow_symlinks=False)
    return {n: os.getxattr(path, n, follow_symlinks=False) for n in sorted(names)
            if not n.startswith("trusted.overlay.")}


def tree(root):
    """{path: everything that can be told of it}; links by the first name of their inode."""
    root = os.fsencode(root)
    seen, out = {}, {}
    paths = [root]
    for directory, dirs, files in os.walk(root):
        paths += [os.path.join(directory, n) for n in dirs + files]
    for path in sorted(paths):
        st = os.lstat(path)
        name = path[len(root):] or b"/"
        first = name
        if not stat.S_ISDIR(st.st_mode):
            first = seen.setdefault((st.st_dev, st.st_ino), name)
        out[name] = {
            "mode": oct(st.st_mode), "owner": (st.st_uid, st.st_gid), "mtime": st.st_mtime_ns,
            "size": 0 if stat.S_ISDIR(st.st_mode) else st.st_size,
            "rdev": st.st_rdev if stat.S_ISCHR(st.st_mode) or stat.S_ISBLK(st.st_mode) else 0,
            "contents": contents(path, st), "xattrs": xattrs(path), "link": first,
            "holes": stat.S_ISREG(st.st_mode) and st.st_blocks * 512 + 65536 < st.st_size,
        }
    return out


def differences(a, b):
    out = [f"only in the first: {p!r}" for p in sorted(a.keys() - b.keys())]
    out += [f"only in the second: {p!r}" for p in sorted(b.keys() - a.keys())]
    for path in sorted(a.keys() & b.keys()):
        for what in a[path]:
            if a[path][what] != b[path][what]:
                out.append(f"{path!r}: {what}: {a[path][what]} and {b[path][what]}")
    return out
