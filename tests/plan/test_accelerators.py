"""What is said of GPUs that a driver shows and torch cannot use."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.plan.accelerators import Facts, Gpu, unusable

A100 = Gpu(name="NVIDIA A100", uuid="GPU-aa")
T4 = Gpu(name="Tesla T4", uuid="GPU-bb")
GOOD = Facts(
    torch="2.15.0+cu132",
    torch_cuda="13.2",
    driver="590.1",
    driver_cuda=(13, 2),
    gpus=(A100, T4),
    seen=("aa", "bb"),
)


@pytest.mark.parametrize(
    ("facts", "parts"),
    [
        (
            replace(GOOD, torch="2.15.0+cpu", torch_cuda=None, seen=()),
            ["NVIDIA A100 and Tesla T4", "built for CPUs only", "built for CUDA 13"],
        ),
        (
            replace(GOOD, driver="535.1", driver_cuda=(12, 2), seen=()),
            [
                "driver 535.1 is too old",
                "CUDA up to 12.2",
                "built for CUDA 13.2",
                "a newer driver, 580 or later",
                "or install torch and torchvision built for CUDA 12",
            ],
        ),
        (
            replace(GOOD, visible="0", seen=("aa",)),
            ["shows Tesla T4, and CUDA_VISIBLE_DEVICES='0' hides it", "unset it"],
        ),
        (replace(GOOD, visible="", seen=()), ["CUDA_VISIBLE_DEVICES='' hides them"]),
        (
            replace(GOOD, seen=(), refusal="CUDA unknown error"),
            ["cannot use them (CUDA unknown error)", "restart the machine", "in a container"],
        ),
        (
            replace(GOOD, gpus=None, seen=(), problem="Driver/library version mismatch"),
            ["cannot be asked: Driver/library version mismatch", "restart the machine"],
        ),
        (
            replace(GOOD, gpus=(A100, A100, T4), visible="MIG-1", seen=("cc",)),
            ["shows 3 GPUs, 2 of them out of torch's sight", "hides them"],
        ),
    ],
    ids=["cpu-build", "old-driver", "hidden", "all-hidden", "refused", "mismatch", "mig"],
)
def test_each_reason_has_its_sentence_and_remedy(facts: Facts, parts: list[str]) -> None:
    (sentence,) = unusable(facts)
    for part in parts:
        assert part in sentence


@pytest.mark.parametrize(
    "facts",
    [
        GOOD,
        replace(GOOD, driver_cuda=(13, 0)),  # Minor versions are compatible.
        replace(GOOD, gpus=None, problem="no permission"),
        replace(GOOD, gpus=(), seen=()),
        replace(GOOD, visible="0,1"),
        Facts(torch="2.15.0", torch_cuda="13.2", problem="NVML Shared Library Not Found"),
        Facts(torch="2.15.0+rocm", torch_rocm="7.0", driver="590", gpus=(A100,)),
    ],
)
def test_nothing_is_said_where_nothing_is_wrong(facts: Facts) -> None:
    assert unusable(facts) == ()


@given(
    cuda=st.none() | st.sampled_from(["11.8", "12.8", "13.2"]),
    driver_cuda=st.none() | st.tuples(st.integers(11, 14), st.integers(0, 9)),
    visible=st.none() | st.sampled_from(["", "-1", "0"]),
    seen=st.sampled_from([(), ("aa",), ("aa", "bb")]),
    gpus=st.none() | st.sampled_from([(), (A100,), (A100, T4)]),
    problem=st.sampled_from(["", "no permission"]),
)
def test_a_gpu_out_of_sight_is_always_named_and_never_one_in_sight(
    cuda: str | None,
    driver_cuda: tuple[int, int] | None,
    visible: str | None,
    seen: tuple[str, ...],
    gpus: tuple[Gpu, ...] | None,
    problem: str,
) -> None:
    told = unusable(
        Facts(
            torch="2.15.0",
            torch_cuda=cuda,
            driver="535.1",
            driver_cuda=driver_cuda,
            visible=visible,
            seen=seen,
            gpus=gpus,
            problem=problem,
        )
    )
    if gpus is None:
        assert bool(told) == (not seen)
        return
    hidden = [gpu for gpu in gpus if gpu.uuid.removeprefix("GPU-") not in seen]
    assert len(told) == (1 if hidden else 0)
    for gpu in gpus:
        assert (gpu.name in "".join(told)) == (gpu in hidden)
