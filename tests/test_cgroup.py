"""Known answers from small trees that look like /sys/fs/cgroup."""

from __future__ import annotations

from pathlib import Path

from engine import cgroup


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_version_2_takes_the_smallest_limit_on_the_way_up(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {
            "a/cpu.max": "150000 100000\n",
            "a/memory.max": "1000000\n",
            "a/b/cpu.max": "max 100000\n",
            "a/b/memory.max": "max\n",
            "a/b/memory.current": "500\n",
            "a/b/memory.stat": "anon 10\ninactive_file 100\n",
            "a/b/memory.events": "low 0\noom 4\noom_kill 3\n",
        },
    )
    own = "0::/a/b\n"
    assert cgroup.cpu_limit(root, own) == 1.5
    assert cgroup.memory_limit(root, own) == 1_000_000
    assert cgroup.memory_used(root, own) == 400
    assert cgroup.oom_kills(root, own) == 3


def test_version_1_has_a_tree_per_controller(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {
            "cpu/job/cpu.cfs_quota_us": "250000",
            "cpu/job/cpu.cfs_period_us": "100000",
            "memory/job/memory.limit_in_bytes": "2000",
            "memory/memory.limit_in_bytes": "9223372036854771712",
            "memory/job/memory.usage_in_bytes": "1500",
            "memory/job/memory.stat": "total_inactive_file 500",
        },
    )
    own = "4:memory:/job\n2:cpu:/job\n"
    assert cgroup.cpu_limit(root, own) == 2.5
    assert cgroup.memory_limit(root, own) == 2000
    assert cgroup.memory_used(root, own) == 1000


def test_no_limit(tmp_path: Path) -> None:
    assert cgroup.cpu_limit(tmp_path, "0::/\n") is None
    assert cgroup.memory_limit(tmp_path, "0::/\n") is None
    root = tree(tmp_path, {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"})
    assert cgroup.cpu_limit(root, "1:cpu:/\n") is None


def test_a_container_sees_its_own_limits_at_the_root(tmp_path: Path) -> None:
    root = tree(tmp_path, {"cpu.max": "50000 100000", "memory.max": "77"})
    own = "0::/docker/0123456789\n"
    assert cgroup.cpu_limit(root, own) == 0.5
    assert cgroup.memory_limit(root, own) == 77


def test_core_seconds_of_both_hierarchies(tmp_path: Path) -> None:
    second = tree(tmp_path / "2", {"a/cpu.stat": "usage_usec 2500000\nuser_usec 1\n"})
    assert cgroup.cpu_seconds(second, "0::/a\n") == 2.5
    first = tree(tmp_path / "1", {"cpuacct/job/cpuacct.usage": "1500000000\n"})
    assert cgroup.cpu_seconds(first, "3:cpu,cpuacct:/job\n2:cpuacct:/job\n") == 1.5
    assert cgroup.cpu_seconds(tmp_path / "none", "0::/\n") is None


def test_whole_cores() -> None:
    assert cgroup.whole_cores(None, 8) == 8
    assert cgroup.whole_cores(1.5, 8) == 2
    assert cgroup.whole_cores(0.2, 8) == 1
    assert cgroup.whole_cores(64.0, 8) == 8
