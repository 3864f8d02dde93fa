"""Signal equations against closed forms and a step-by-step Bloch simulation."""

import math

import pytest

from gadoscope.phantom.head.regions import BLOOD_REGIONS, INTACT_BARRIER, MAKEUP, Region
from gadoscope.phantom.head.tissues import FIELD_STRENGTHS_T, RELAXATION, Relaxation, Tissue
from gadoscope.phantom.physics.signal import (
    AGENTS,
    HAEMATOCRIT,
    Injection,
    inversion_prepared_gradient_echo,
    region_relaxations,
    spin_echo,
    spoiled_gradient_echo,
    with_gadolinium,
    with_inflow,
)

TISSUE = Relaxation(t1_ms=800.0, t2_ms=80.0, t2_star_ms=50.0, proton_density=0.7)


def test_a_spin_echo_of_endless_repetition_is_density_times_t2_decay() -> None:
    signal = spin_echo(TISSUE, tr_ms=100 * TISSUE.t1_ms, te_ms=20.0)
    assert signal == pytest.approx(0.7 * math.exp(-20 / 80), rel=1e-9)


def test_a_spin_echo_of_no_echo_time_is_saturation_recovery() -> None:
    assert spin_echo(TISSUE, tr_ms=500.0, te_ms=0.0) == pytest.approx(0.7 * (1 - math.exp(-500 / 800)))


def test_the_gradient_echo_is_brightest_at_the_ernst_angle() -> None:
    ernst = math.degrees(math.acos(math.exp(-10.0 / TISSUE.t1_ms)))

    def at(flip: float) -> float:
        return spoiled_gradient_echo(TISSUE, tr_ms=10.0, te_ms=0.0, flip_deg=flip)

    assert at(ernst) > max(at(ernst - 0.1), at(ernst + 0.1))
    # Ernst and Anderson 1966: the height of the peak is sqrt((1 - E1) / (1 + E1)).
    e1 = math.exp(-10.0 / TISSUE.t1_ms)
    assert at(ernst) == pytest.approx(0.7 * math.sqrt((1 - e1) / (1 + e1)))


def test_the_gradient_echo_is_the_limit_of_simulated_pulses() -> None:
    m, e1, flip = 1.0, math.exp(-12.0 / TISSUE.t1_ms), math.radians(25)
    for _ in range(3000):
        measured = m * math.sin(flip)
        m = 1 - (1 - m * math.cos(flip)) * e1
    expected = 0.7 * measured * math.exp(-4.0 / 50.0)
    assert spoiled_gradient_echo(TISSUE, tr_ms=12.0, te_ms=4.0, flip_deg=25.0) == pytest.approx(expected)


def test_mprage_is_the_limit_of_simulated_pulses() -> None:
    m, flip, echoes, spacing, ti, tr = 1.0, math.radians(9), 17, 8.0, 900.0, 2000.0
    for _ in range(60):
        m = 1 - (1 + m) * math.exp(-(ti - echoes // 2 * spacing) / TISSUE.t1_ms)
        for echo in range(echoes):
            if echo == echoes // 2:
                measured = abs(m) * math.sin(flip)
            m = 1 - (1 - m * math.cos(flip)) * math.exp(-spacing / TISSUE.t1_ms)
        m = 1 - (1 - m) * math.exp(-(tr - ti - (echoes - echoes // 2) * spacing) / TISSUE.t1_ms)
    signal = inversion_prepared_gradient_echo(
        TISSUE, tr_ms=tr, te_ms=0.0, ti_ms=ti, flip_deg=9.0, echo_spacing_ms=spacing, echoes=echoes
    )
    assert signal == pytest.approx(0.7 * measured)


def test_an_inversion_nulls_tissue_at_t1_times_log_two() -> None:
    def at(ti: float) -> float:
        return inversion_prepared_gradient_echo(
            TISSUE, tr_ms=1e5, te_ms=3.0, ti_ms=ti, flip_deg=5.0, echo_spacing_ms=8.0, echoes=1
        )

    null = TISSUE.t1_ms * math.log(2)
    assert at(null) == pytest.approx(0, abs=1e-12)
    assert min(at(null - 50), at(null + 50)) > 1e-3


def test_a_train_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"200 echoes every 8.0 ms do not fit: ti_ms = 500.0"):
        inversion_prepared_gradient_echo(
            TISSUE, tr_ms=2000.0, te_ms=3.0, ti_ms=500.0, flip_deg=9.0, echo_spacing_ms=8.0, echoes=200
        )


@pytest.mark.parametrize("concentration", [0.05, 0.4, 2.0])
def test_gadolinium_adds_relaxivity_times_concentration_to_both_rates(concentration: float) -> None:
    after = with_gadolinium(TISSUE, concentration, r1=4.1, r2=4.6)
    assert 1000 / after.t1_ms == pytest.approx(1000 / 800 + 4.1 * concentration)
    assert 1000 / after.t2_ms == pytest.approx(1000 / 80 + 4.6 * concentration)
    assert after.proton_density == TISSUE.proton_density


def test_no_gadolinium_changes_nothing() -> None:
    assert with_gadolinium(TISSUE, 0.0, r1=4.1, r2=4.6) is TISSUE


def test_inflow_shortens_the_effective_t1() -> None:
    assert 1000 / with_inflow(TISSUE, 0.5).t1_ms == pytest.approx(1000 / 800 + 0.5)


def test_plasma_holds_what_weinmann_measured_right_after_a_dose() -> None:
    at_once = Injection(agent=AGENTS[0], dose_mmol_per_kg=0.1, delay_min=0.0)
    assert at_once.plasma_mmol_per_l == pytest.approx(0.1 * (3.99 + 4.78))
    later = Injection(agent=AGENTS[0], dose_mmol_per_kg=0.1, delay_min=10.0)
    assert later.plasma_mmol_per_l < at_once.plasma_mmol_per_l


def test_whole_blood_holds_the_agent_in_its_plasma_only() -> None:
    injection = Injection(agent=AGENTS[1], delay_min=5.0)
    blood = injection.tissue_mmol_per_l(MAKEUP[Region.DURAL_SINUS])
    assert blood == pytest.approx(injection.plasma_mmol_per_l * (1 - HAEMATOCRIT))


@pytest.mark.parametrize("field_t", FIELD_STRENGTHS_T)
def test_every_region_has_relaxation_times_at_every_field(field_t: float) -> None:
    for region in Region:
        parts = region_relaxations(region, field_t, None, 0.0)
        assert sum(part for part, _ in parts) == pytest.approx(1.0)
        assert all(tissue.t1_ms > 0 and tissue.t2_star_ms <= tissue.t2_ms for _, tissue in parts)


@pytest.mark.parametrize("field_t", FIELD_STRENGTHS_T)
@pytest.mark.parametrize("region", [r for r in Region if not MAKEUP[r].enhances])
def test_what_does_not_enhance_relaxes_the_same_after_an_injection(region: Region, field_t: float) -> None:
    injection = Injection(agent=AGENTS[1])
    assert region_relaxations(region, field_t, injection, 0.3) == region_relaxations(
        region, field_t, None, 0.3
    )


def test_an_intact_barrier_lets_nothing_leak() -> None:
    assert all(MAKEUP[region].leakage_volume == 0 for region in INTACT_BARRIER)
    assert all(MAKEUP[region].blood_volume == 1 for region in BLOOD_REGIONS)


@pytest.mark.parametrize("field_t", FIELD_STRENGTHS_T)
def test_white_matter_outshines_grey_matter_and_fluid_on_t1(field_t: float) -> None:
    def at(tissue: Tissue) -> float:
        return spin_echo(RELAXATION[tissue, field_t], tr_ms=500.0, te_ms=12.0)

    assert (
        at(Tissue.FAT) > at(Tissue.WHITE_MATTER) > at(Tissue.GREY_MATTER) > at(Tissue.CSF) > at(Tissue.BONE)
    )
