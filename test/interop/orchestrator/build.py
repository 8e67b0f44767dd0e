"""Builds the peers: from their manifests, outside the checkout, and never twice from the same sources."""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile

from . import stack

PEERS = pathlib.Path(__file__).resolve().parent.parent / "peers"
ROOT = PEERS.parent.parent.parent

BUILD_SECONDS = 3600
NO_TOOLCHAIN = 3
NOT_SOURCES = {"node_modules", "target", "__pycache__", ".venv", "build-out"}
DONE = ".complete"


class NotBuilt(Exception):
    """The peer is not there, and why."""


class NoToolchain(NotBuilt):
    """The stack's compiler or interpreter is not installed."""


def cache_root(environment=os.environ):
    """$KADMESH_CACHE/interop as tools/environment.sh has it; a directory that ends with the machine where that fails."""
    caches = environment.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    root = pathlib.Path(environment.get("KADMESH_CACHE") or pathlib.Path(caches) / "kadmesh") / "interop"
    try:
        root.mkdir(parents=True, exist_ok=True)
        return root
    except OSError:
        return pathlib.Path(tempfile.mkdtemp(prefix="kadmesh-interop-"))


def sources(folder):
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not NOT_SOURCES & set(path.relative_to(folder).parts):
            yield path


def fingerprint(folder):
    """Names, modes and contents of all sources."""
    digest = hashlib.sha256()
    for path in sources(folder):
        content = path.read_bytes()
        name = str(path.relative_to(folder))
        digest.update(f"{name}\0{os.access(path, os.X_OK)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]


@contextlib.contextmanager
def locked(path):
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def build(name, root):
    """The command that runs the peer of a foreign stack."""
    folder = PEERS / name
    script = folder / "build"
    if not script.exists():
        raise NotBuilt(f"{name}: there is no {script.relative_to(ROOT)}")
    out = root / f"{name}-{fingerprint(folder)}"
    with locked(root / f"{name}.lock"):
        if not (out / DONE).exists():
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir()
            run_build(name, script, out, root / f"cache-{name}")
            (out / DONE).touch()
    return [str(out / "peer")]


def run_build(name, script, out, cache):
    cache.mkdir(exist_ok=True)
    environment = {**os.environ, "PEER_CACHE": str(cache)}
    log = out / "build.log"
    with open(log, "wb") as file:
        try:
            code = subprocess.run([str(script), str(out)], cwd=script.parent, env=environment, timeout=BUILD_SECONDS,
                                  stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT).returncode
        except subprocess.TimeoutExpired:
            raise NotBuilt(f"{name}: the build took longer than {BUILD_SECONDS} s") from None
    said = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
    if code == NO_TOOLCHAIN:
        raise NoToolchain(f"{name}: {said or 'its toolchain is not installed'}")
    if code != 0:
        raise NotBuilt(f"{name}: the build ended with code {code}\n{said}")
    if not os.access(out / "peer", os.X_OK):
        raise NotBuilt(f"{name}: the build made no peer")


def our_peer(build_dir):
    """The kadmesh peer of a Meson build directory, brought up to date."""
    target = "test/interop/kadmesh_peer"
    if (build_dir / "build.ninja").exists():
        done = subprocess.run(["ninja", "-C", str(build_dir), target], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=BUILD_SECONDS)
        if done.returncode != 0:
            said = done.stdout.decode(errors="replace").splitlines()[-20:]
            raise NotBuilt(f"{stack.US}: ninja {target} failed\n" + "\n".join(said))
    path = build_dir / target
    if not os.access(path, os.X_OK):
        raise NotBuilt(f"{stack.US}: no {path}")
    return [str(path)]


def peer_command(name, build_dir, root):
    return our_peer(build_dir) if name == stack.US else build(name, root)
