"""The limits that a user sets to a training, in steps and in time."""

from __future__ import annotations

from engine.train.job import Job


def is_late(job: Job) -> bool:
    """Whether the time is up; one step is made in any case, however slow its images came."""
    limit = job.plan.settings.max_time
    return limit is not None and job.step > 0 and job.seconds() >= limit


def has_all_steps(job: Job) -> bool:
    """Whether as many steps are done as the user asked for."""
    wanted = job.plan.settings.max_steps
    return wanted is not None and job.step >= wanted


def over(job: Job) -> str:
    """Why nothing is left of a training that goes on: it reached a limit, and was ended before it
    could say so. Ranks agree on it: until the first step all know the same seconds."""
    if job.step == 0 or (job.done > 0 and job.broken_off is None):
        return ""  # The epoch at hand is still to be validated.
    job.late = is_late(job)
    return reached(job)


def reached(job: Job) -> str:
    """Why training ends here, as the user asked; empty where it goes on."""
    settings = job.plan.settings
    if job.step >= settings.epochs * job.stream.steps_per_epoch:
        return ""
    if has_all_steps(job):
        return f"after {steps(job.step)}, as asked"
    if job.late:
        return f"after {settings.max_time:g} s of training, as asked"
    return ""


def steps(count: int) -> str:
    return f"{count} step" + ("s" if count != 1 else "")
