from __future__ import annotations

import pytest

from engine.plan.resnet_passes import work
from engine.plan.roofline import roof, roof_of

# What torchvision's documentation says of its weights: multiply-adds of one forward pass, in 1e9.
FORWARD = {
    "resnet18": 1.81,
    "resnet34": 3.66,
    "resnet50": 4.09,
    "resnet101": 7.80,
    "resnet152": 11.51,
}
# Values that convolutions put out, in 1e6: Radosavovic et al. 2020 (2003.13678), table 4.
OUTPUTS = {"resnet50": 11.1, "resnet101": 16.2, "resnet152": 22.6}


@pytest.mark.parametrize("model", FORWARD)
def test_operations_are_the_published_ones_and_three_times_as_many_in_training(model: str) -> None:
    forward = [each.operations for each in work(model, 224) if each.forward]
    whole = sum(each.operations for each in work(model, 224))

    assert sum(forward) / 2e9 == pytest.approx(FORWARD[model], rel=0.005)
    # The first layer needs no gradient of its input.
    assert whole == 3 * sum(forward) - forward[0]


@pytest.mark.parametrize("model", OUTPUTS)
def test_values_put_out_are_the_published_ones(model: str) -> None:
    outputs = sum(each.outputs for each in work(model, 224) if each.forward)
    assert outputs / 1e6 == pytest.approx(OUTPUTS[model], rel=0.01)


@pytest.mark.parametrize(("compiled", "measured"), [(False, 8100), (True, 11100)])
def test_an_h200_as_it_was_measured(compiled: bool, measured: float) -> None:
    # 790 TFLOP/s and 4.3 TB/s are what it reaches, and these the images per second from them.
    limit = roof_of(790e12, 4.3e12, work("resnet50", 224), "bf16", compiled)
    assert limit.images_per_second == pytest.approx(measured, rel=0.01)
    assert limit.bound == "bandwidth"


def test_published_peaks_allow_more_than_was_measured_but_not_much() -> None:
    limit = roof("NVIDIA H200", "bf16", "resnet50", 224, False)
    assert limit is not None
    # 989 for 790 TFLOP/s, 4.8 for 4.3 TB/s: between 12 and 25 % more.
    assert 1.12 * 8100 < limit.images_per_second < 1.25 * 8100


def test_public_results_stay_below_the_roof() -> None:
    def at_most(name: str, precision: str) -> float:
        limit = roof(name, precision, "resnet50", 224, False)
        assert limit is not None
        return limit.images_per_second

    assert 0.8 < 2470 / at_most("NVIDIA A100-SXM4-40GB", "fp16") < 1
    assert 0.7 < 1200 / at_most("Tesla V100-SXM2-32GB", "fp16") < 1


def test_full_precision_is_bound_by_arithmetic_and_slower() -> None:
    half = roof("NVIDIA H200", "bf16", "resnet50", 224, True)
    tf32 = roof("NVIDIA H200", "tf32", "resnet50", 224, True)
    full = roof("NVIDIA H200", "fp32", "resnet50", 224, True)
    assert half is not None
    assert tf32 is not None
    assert full is not None
    assert (half.bound, full.bound) == ("bandwidth", "compute")
    assert full.images_per_second < tf32.images_per_second < half.images_per_second
    # 67 TFLOP/s for 24.3 GFLOP and nothing else would be 2,757.
    assert full.images_per_second < 67e12 / 24.3e9


def test_four_times_the_area_is_a_quarter_of_the_images() -> None:
    small = roof("NVIDIA L4", "bf16", "resnet18", 224, False)
    large = roof("NVIDIA L4", "bf16", "resnet18", 448, False)
    assert small is not None
    assert large is not None
    assert small.images_per_second / large.images_per_second == pytest.approx(4, rel=0.01)


KNOWN = (
    "Tesla V100-SXM2-16GB",
    "Tesla V100-PCIE-32GB",
    "Tesla T4",
    "NVIDIA A100-SXM4-40GB",
    "NVIDIA A100-PCIE-40GB",
    "NVIDIA A100-SXM4-80GB",
    "NVIDIA A100 80GB PCIe",
    "NVIDIA H100 80GB HBM3",
    "NVIDIA H100 PCIe",
    "NVIDIA H200",
    "NVIDIA L4",
    "NVIDIA L40S",
    "NVIDIA A10",
    "NVIDIA GeForce RTX 3090",
    "NVIDIA GeForce RTX 4090",
)


@pytest.mark.parametrize("name", KNOWN)
def test_every_known_device_is_slower_in_finer_arithmetic_and_of_this_world(name: str) -> None:
    rates = [
        limit.images_per_second
        for precision in ("fp32", "tf32", "fp16")
        if (limit := roof(name, precision, "resnet50", 224, False)) is not None
    ]
    assert len(rates) >= 2
    assert rates == sorted(rates)
    assert 1.2 < rates[-1] / rates[0] < 6
    assert 500 < rates[-1] < 9500
    brain = roof(name, "bf16", "resnet50", 224, False)
    assert brain is None or brain.images_per_second == rates[-1]
    # Those without units for bf16 are older than those with, and have none for TF32 either.
    assert (brain is None) == (len(rates) == 2)


@pytest.mark.parametrize(
    ("name", "precision", "model"),
    [
        ("Intel(R) Xeon(R) Processor", "fp32", "resnet50"),
        ("NVIDIA H200 NVL", "bf16", "resnet50"),
        ("NVIDIA H100 80GB HBM3 MIG 1g.10gb", "bf16", "resnet50"),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", "bf16", "resnet50"),
        ("Tesla T4", "bf16", "resnet50"),
        ("Tesla V100-SXM2-16GB", "tf32", "resnet50"),
        ("NVIDIA H200", "int8", "resnet50"),
        ("NVIDIA H200", "bf16", "vgg16"),
        ("", "", ""),
    ],
)
def test_what_is_not_known_has_no_roof(name: str, precision: str, model: str) -> None:
    assert roof(name, precision, model, 224, False) is None
