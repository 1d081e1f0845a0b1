"""What would end a detached supervisor from outside: the end of a login, or of a cluster job."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

SCOPE = ("systemd-run", "--user", "--scope", "--quiet", "--collect")
"""Runs a command in a control group of the user's own manager instead of the login's."""

_JOBS = {"SLURM_JOB_ID": "Slurm", "PBS_JOBID": "PBS", "LSB_JOBID": "LSF"}


def risks() -> list[str]:
    """What would kill it, a sentence each."""
    found = []
    job = _job()
    if job:
        found.append(f"this shell is inside a {job} job: the experiment ends with the job")
    if logout_kills() and not can_leave_login():
        found.append(
            "logging out ends it: logind has KillUserProcesses=yes; "
            "'loginctl enable-linger' and a user manager would save it"
        )
    elif logout_kills() and not _lingers():
        found.append(
            "the end of your last login ends it: logind has KillUserProcesses=yes; "
            "'loginctl enable-linger' keeps it"
        )
    return found


def outlook() -> str:
    """Whether an experiment that is started now outlives a logout, in a sentence."""
    if risks():
        return "no: see the risks above"
    if can_leave_login():
        return "yes, in a scope of the user's systemd"
    return "yes, in a session of its own"


def can_leave_login() -> bool:
    """Whether ``SCOPE`` works here; never inside a cluster job, whose accounting it would leave."""
    if _job() or not os.environ.get("XDG_RUNTIME_DIR") or shutil.which(SCOPE[0]) is None:
        return False
    try:
        tried = subprocess.run(
            [*SCOPE, "true"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=3,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return tried.returncode == 0


def _job() -> str:
    return next((name for variable, name in _JOBS.items() if os.environ.get(variable)), "")


def logout_kills(root: Path = Path("/")) -> bool:
    """Whether logind is told to; the last setting wins, as it does for logind."""
    files = [root / "etc/systemd/logind.conf"]
    for place in ("usr/lib", "run", "etc"):
        files += sorted((root / place / "systemd/logind.conf.d").glob("*.conf"))
    answer = False
    for path in files:
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        for line in lines:
            key, _, value = line.partition("=")
            if key.strip() == "KillUserProcesses":
                answer = value.strip().lower() in ("yes", "true", "on", "1")
    return answer


def _lingers(root: Path = Path("/")) -> bool:
    user = os.environ.get("USER") or os.environ.get("LOGNAME") or ""
    return bool(user) and (root / "var/lib/systemd/linger" / user).exists()
