from __future__ import annotations

from engine.journal.events import GpuFacts, GpuReading, GpuSample, Notice
from engine.run.gpu_alarms import WINDOW, GpuAlarms

FACTS = [GpuFacts(index=index, uuid=f"GPU-{index}", name="H100") for index in range(2)]
BOTH = {"GPU-0", "GPU-1"}
COOL = GpuReading(temperature=60.0)
HOT = GpuReading(temperature=91.0, throttled=("power cap", "heat"))
LOST = GpuReading(problem="GPU is lost")


class Time:
    """Samples of two GPUs, one a second; the first is always well."""

    def __init__(self) -> None:
        self.alarms = GpuAlarms()
        self.t = 1000.0

    def passes(
        self, *second: GpuReading, training: set[str] = BOTH, times: int = 1
    ) -> list[Notice]:
        notices = []
        for reading in second * times:
            self.t += 1.0
            sample = GpuSample(t=self.t, readings=(COOL, reading))
            notices += self.alarms.sample(FACTS, sample, training)
        return notices


def test_heat_is_told_once_until_it_is_gone() -> None:
    time = Time()
    assert time.passes(HOT, times=int(WINDOW)) == []
    (notice,) = time.passes(HOT)
    assert (notice.level, notice.code) == ("warning", "throttled")
    assert notice.text == (
        "GPU 1 (H100) was slowed down for 100 % of the last 30 s at 91 °C: "
        "it is too hot: look after its cooling"
    )
    assert time.passes(HOT, times=300) == []
    assert time.passes(COOL, HOT, times=100) == []
    assert time.passes(COOL, times=60) == []
    assert len(time.passes(HOT, times=60)) == 1


def test_a_short_slowdown_and_the_power_cap_are_no_alarm() -> None:
    time = Time()
    capped = GpuReading(throttled=("power cap",))
    assert time.passes(capped, times=300) == []
    assert time.passes(*[HOT] * 14, *[capped] * 60) == []


def test_half_of_the_time_is_enough() -> None:
    time = Time()
    slowed = GpuReading(throttled=("power brake",))
    (notice,) = time.passes(COOL, slowed, times=40)
    assert "5" in notice.text.split("slowed down for ")[1][:2]
    assert "power supply brakes it" in notice.text


def test_only_a_gpu_that_trains_can_be_too_slow() -> None:
    time = Time()
    assert time.passes(HOT, training={"GPU-0"}, times=300) == []
    assert time.passes(HOT, training=set(), times=300) == []
    assert time.passes(HOT, times=int(WINDOW)) == []
    assert len(time.passes(HOT)) == 1


def test_a_lost_gpu_is_named_once_until_it_is_back() -> None:
    time = Time()
    (notice,) = time.passes(COOL, LOST, LOST, training=set())
    assert (notice.level, notice.code) == ("warning", "gpu-lost")
    assert notice.text.startswith("GPU 1 (H100) does not answer (GPU is lost)")
    # One that answers now and then is one that does not.
    assert time.passes(*[COOL] * 20, LOST, *[COOL] * 5, LOST) == []
    assert len(time.passes(*[COOL] * 35, LOST)) == 1


def test_a_driver_that_does_not_answer_is_told_once_for_all() -> None:
    alarms = GpuAlarms()
    (notice,) = alarms.driver("NVIDIA's driver does not answer")
    assert notice.code == "gpu-lost"
    assert "training goes on" in notice.text
    assert alarms.driver("NVIDIA's driver does not answer") == []
    empty = GpuSample(readings=(GpuReading(problem="NVIDIA's driver does not answer"),) * 2)
    assert alarms.sample(FACTS, empty, BOTH) == []
    # It answers again, and one GPU is missing.
    one = GpuSample(readings=(COOL, LOST))
    assert [each.code for each in alarms.sample(FACTS, one, BOTH)] == ["gpu-lost"]
    assert alarms.driver("") == []
    assert len(alarms.driver("again")) == 1
