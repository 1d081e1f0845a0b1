"""Makes ``.venv`` and installs resnet-tui into it: what ``make install`` runs.

It is run by the Python that the environment is made with, and needs nothing but its library. Where
that Python already has a torch and a torchvision that will do, and that can be imported, the
environment uses them instead of downloading five gigabytes again.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import subprocess
import sys
from collections import deque
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TORCH = ("torch", "torchvision")
LONG_DOWNLOAD = 5.0
"""Megabytes from which a download is told."""
REMEMBERED = 40
"""Lines of pip's output that are shown where it fails."""


class CannotInstall(Exception):
    """Why, in a sentence."""


def main() -> int:
    """Installs; returns the exit code."""
    parser = argparse.ArgumentParser(description="make .venv and install resnet-tui into it")
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv")
    venv = parser.parse_args().venv
    if Path(sys.prefix).resolve() == venv.resolve():
        # Run from inside: the environment would be made anew under our feet, or share with itself.
        os.execv(base_python(), [base_python(), *sys.argv])
    try:
        install(venv)
    except CannotInstall as error:
        print(f"install: {error}", file=sys.stderr)
        return 1
    return 0


def base_python() -> str:
    """The Python that this environment was made with."""
    return str(getattr(sys, "_base_executable", sys.executable))


def install(venv: Path) -> None:
    """Makes or renews ``venv``; raises ``CannotInstall``."""
    if sys.version_info < (3, 11):  # noqa: UP036 (this file must say so itself)
        raise CannotInstall(
            f"{sys.executable} is Python {platform.python_version()}; 3.11 or newer is needed: "
            "make PYTHON=/path/to/python3"
        )
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    wanted = minimum_versions(pyproject)
    found = {name: version_here(name) for name in TORCH}
    reason = why_not(found, wanted) or why_not_importable()
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    if reason:
        say(f"{reason}, so the environment gets its own: about 5 GB on disk")
    else:
        names = " and ".join(f"{name} {version}" for name, version in found.items())
        say(f"using {names} of {sys.executable}")
        ours = {name_of(each) for each in requirements(pyproject)} - set(TORCH)
        pins = without(pins, (closure(TORCH) | set(TORCH)) - ours)
    make_environment(venv, share=not reason)
    constraints = venv / "constraints.txt"
    constraints.write_text(pins, encoding="utf-8")
    # The build tools first, pinned like the rest: nothing is then built with whatever is newest.
    pip(venv, "--constraint", str(constraints), *build_requirements(pyproject))
    pip(
        venv,
        *("--constraint", str(constraints), "--no-build-isolation", "--use-pep517"),
        *("--editable", f"{ROOT}[dev]"),
    )
    say(f"done: {venv / 'bin' / 'resnet-tui'}")


def build_requirements(pyproject: str) -> list[str]:
    """What a pyproject.toml needs to be built."""
    import tomllib

    return list(tomllib.loads(pyproject)["build-system"]["requires"])


def requirements(pyproject: str) -> list[str]:
    """The ``dependencies`` of a pyproject.toml."""
    import tomllib

    return list(tomllib.loads(pyproject)["project"]["dependencies"])


def minimum_versions(pyproject: str) -> dict[str, str]:
    """What torch and torchvision must be at least."""
    minima = {}
    for requirement in requirements(pyproject):
        match = re.fullmatch(r"([\w-]+)>=([\d.]+)", requirement)
        if match and match[1] in TORCH:
            minima[match[1]] = match[2]
    return minima


def version_here(name: str) -> str | None:
    """The version of an installed distribution, if it is installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def why_not(found: dict[str, str | None], wanted: dict[str, str]) -> str:
    """Why the installed versions will not do; empty where they do."""
    for name, minimum in wanted.items():
        version = found.get(name)
        if version is None:
            return f"{sys.executable} has no {name}"
        if release(version) < release(minimum):
            return f"{name} {version} of {sys.executable} is older than {minimum}"
    return ""


def release(version: str) -> tuple[int, int, int, bool]:
    """To compare versions by: ``2.11.0a0+git`` comes before ``2.11``, ``2.11.0+cu130`` does not."""
    match = re.match(r"(\d+)(?:\.(\d+))?(?:\.(\d+))?(.*)", version)
    if match is None:
        return (0, 0, 0, False)
    final = re.match(r"\.?(a|b|rc|dev)", match[4]) is None
    return (int(match[1]), int(match[2] or 0), int(match[3] or 0), final)


def why_not_importable() -> str:
    """Why the installed torch cannot be used after all; empty where it can."""
    # torchvision built for another torch fails only when its operators are registered.
    result = subprocess.run(
        [sys.executable, "-c", "import torch, torchvision"],
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode == 0:
        return ""
    last = (result.stderr.strip().splitlines() or ["no message"])[-1]
    return f"torch of {sys.executable} cannot be imported ({last})"


def closure(roots: tuple[str, ...]) -> set[str]:
    """Every distribution that ``roots`` need here, directly or not, by normalised name."""
    seen: set[str] = set()
    waiting = deque(roots)
    while waiting:
        try:
            needed = metadata.requires(waiting.popleft()) or []
        except metadata.PackageNotFoundError:
            continue
        for requirement in needed:
            name = name_of(requirement)
            if name not in seen and "extra ==" not in requirement:
                seen.add(name)
                waiting.append(name)
    return seen


def name_of(requirement: str) -> str:
    """The normalised name at the head of a requirement or pin."""
    match = re.match(r"[\w.-]+", requirement)
    return re.sub(r"[-_.]+", "-", match[0]).lower() if match else ""


def without(pins: str, names: set[str]) -> str:
    """A constraints file less the pins of ``names``."""
    lines = (line for line in pins.splitlines() if name_of(line) not in names)
    return "\n".join(lines) + "\n"


def make_environment(venv: Path, share: bool) -> None:
    """Makes ``venv``, anew unless it is already one of this Python and kind."""
    if not is_current(venv, share):
        say(f"making {venv} with Python {platform.python_version()}")
        options = ["--clear"] + (["--system-site-packages"] if share else [])
        result = subprocess.run(
            [sys.executable, "-m", "venv", *options, str(venv)],
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            raise CannotInstall(
                f"no virtual environment could be made with {sys.executable}: "
                f"{(result.stdout + result.stderr).strip()}"
            )
    if share and sys.prefix != sys.base_prefix:
        # This Python is itself in an environment, which the new one does not see by itself.
        inside = next((venv / "lib").glob("python*")) / "site-packages" / "outer.pth"
        outer = [path for path in sys.path if Path(path).name == "site-packages"]
        inside.write_text("\n".join(outer) + "\n", encoding="utf-8")


def is_current(venv: Path, share: bool) -> bool:
    """Whether ``venv`` works, and was made with this version of Python and this kind of sharing."""
    try:
        written = (venv / "pyvenv.cfg").read_text(encoding="utf-8")
    except OSError:
        return False
    shares = re.search(r"^include-system-site-packages = true", written, re.MULTILINE) is not None
    if shares != share or not (venv / "bin" / "python").exists():
        return False
    result = subprocess.run(
        [
            str(venv / "bin" / "python"),
            "-c",
            "import pip, platform; print(platform.python_version())",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    return result.stdout.strip() == platform.python_version()


def pip(venv: Path, *arguments: str) -> None:
    """Runs ``pip install``, telling what is downloaded; raises ``CannotInstall`` where it fails."""
    command = [str(venv / "bin" / "python"), "-m", "pip", "install", "--progress-bar", "off"]
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONUNBUFFERED": "1"}
    last: deque[str] = deque(maxlen=REMEMBERED)
    with subprocess.Popen(
        [*command, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=environment,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            last.append(line)
            if told := progress(line):
                say(told)
    if process.returncode != 0:
        raise CannotInstall(
            "pip failed; check the network and the free disk space, then try again. It said:\n"
            + "".join(last)
        )


def progress(line: str) -> str:
    """What is worth showing of a line of pip's: long downloads, and the silence at the end."""
    match = re.match(r"\s*Downloading (\S+) \(([\d.]+) ([MG]B)\)", line)
    if match and (match[3] == "GB" or float(match[2]) >= LONG_DOWNLOAD):
        return f"downloading {match[1].rpartition('/')[2]} ({match[2]} {match[3]})"
    words = line.split()
    if words[:3] == ["Installing", "collected", "packages:"] and len(words) > 4:
        return f"installing {len(words) - 3} packages; this takes a minute or two"
    return ""


def say(text: str) -> None:
    print(f"install: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
