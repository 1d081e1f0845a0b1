from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.run.tree import Tree

SIZE = 16 << 20

HOLDS = f"""
import sys
held = bytearray(b'x' * {SIZE})
print('ready', flush=True)
sys.stdin.read()
"""
READS = """
import os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
while os.read(fd, 1 << 20):
    pass
print('ready', flush=True)
sys.stdin.read()
"""


@pytest.fixture
def children() -> Iterator[list[subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for each in started:
        each.communicate()


def start(children: list[subprocess.Popen[bytes]], code: str, *arguments: str) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    children.append(child)
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"


def test_memory_of_children_counts(children: list[subprocess.Popen[bytes]]) -> None:
    tree = Tree()
    before = tree.look(split=True)
    start(children, HOLDS)
    after = tree.look(split=True)
    assert after.rss - before.rss > SIZE
    if not Path("/proc/self/smaps_rollup").exists():
        pytest.skip("this system does not tell how pages are shared")
    assert before.pss is not None
    assert after.pss is not None
    # Its own bytes are counted whole, the interpreter's and its libraries' but once.
    assert SIZE <= after.pss - before.pss < after.rss - before.rss
    assert tree.look().pss is None


def test_what_comes_from_the_disk_and_not_from_the_cache(
    children: list[subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_bytes(os.urandom(SIZE))
    descriptor = os.open(file, os.O_RDONLY)
    os.fsync(descriptor)
    if not hasattr(os, "posix_fadvise"):
        pytest.skip("this system cannot be told to forget a file that it has in memory")
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)
    tree = Tree()
    assert tree.look().read is None
    tree.look()
    begun = tree.looked
    start(children, READS, str(file))
    use = tree.look()
    assert use.read is not None
    assert begun is not None
    assert tree.looked is not None
    read = use.read * (tree.looked - begun)
    if read < 1 << 20:
        pytest.skip("files here are in memory, or the system does not count what disks give")
    assert 0.99 * SIZE < read < 2 * SIZE
    # Now they are in memory.
    begun = tree.looked
    start(children, READS, str(file))
    use = tree.look()
    assert use.read is not None
    assert use.read * (tree.looked - begun) < SIZE / 2
