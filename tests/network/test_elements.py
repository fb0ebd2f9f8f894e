"""Each element of a network file does what it says: expiry, banks, messages, holidays, re-collection."""

import pytest

from anlage.network import read
from anlage.network.simulate import outcome_of, run, settings_for


def found(text, **changes):
    network = read(text)
    how = {"years": 2, "warmup_years": 0.25, "replications": 20} | changes
    return outcome_of(run(network, settings_for(network, **how)))


def test_units_beyond_their_shelf_life_are_thrown_away_in_the_order_they_came():
    text = """
network: shelf
classes: {patient: {arrivals: {every: 10 days}}}
materials: {dose: {stock: 0, reorder_at: 0, order: 10, lead_time: 1 day, shelf_life: 35 days}}
process: [{consume: dose}]
"""

    told = found(text, years=10)

    # What is left of ten expires after 35 days and the next ten come a day later: of each ten, those
    # of 36 days are used.
    expired = told["failures"]["dose expired"]["count"] / told["materials"]["dose"]["used"]
    assert expired == pytest.approx((10 - 3.6) / 3.6, rel=0.01)


def test_a_bank_makes_doses_by_a_process_that_uses_resources_and_fails():
    text = """
network: bank
classes: {patient: {arrivals: 2 per day, process: treat}}
resources: {suite: 1}
materials: {dose: {stock: 50, reorder_at: 40, order: 50, made_by: batch}}
processes:
  batch:
    - name: expand
      use: {resource: suite, time: 10 days}
    - fail: {probability: 20 %, cause: batch lost}
    - produce: {material: dose, amount: 50}
  treat: [{consume: dose}]
"""

    told = found(text, years=6)

    # Two doses a day ask for one good batch in 25 days; a fifth is lost: 10 days of each 20.
    assert told["resources"]["suite"]["utilisation"] == pytest.approx(0.5, rel=0.03)
    lost = told["failures"]["batch lost"]["count"]
    batches = told["stages"]["batch: expand"]["visits"]
    assert lost / batches == pytest.approx(0.2, rel=0.15)


def test_a_message_takes_its_delay_and_its_errors():
    text = """
network: messages
integrations:
  paper: {delay: 2 days, error: 10 %, correction: 1 day}
  fhir: {delay: 1 hour, error: 1 %, correction: 4 hours}
clinics: {a: {integration: paper}, b: {integration: fhir}}
classes: {patient: {arrivals: 20 per day}}
resources: {unit: 100}
process: [{exchange: order}]
"""

    days = found(text)["stages"]["exchange order"]
    mean = (2 + 0.1 * 1 + 1 / 24 + 0.01 * 4 / 24) / 2

    assert found(text)["vein_to_vein_days"]["mean"] == pytest.approx(mean, rel=0.01)
    assert days["visits"] > 0


def test_nobody_works_on_a_holiday():
    text = """
network: holiday
start: 2026-01-05
calendars: {office: {days: daily, from: "00:00", to: "24:00", holidays: [2026-02-02]}}
classes: {lot: {arrivals: {every: 6 hours}}}
resources: {desk: {capacity: 1, shifts: office}}
process: [{use: {resource: desk, time: 1 min}}]
"""

    told = found(text, years=0.1, warmup_years=0.0, replications=1)

    # Four come on the closed day; they wait 24, 18, 12 and 6 hours (or a little less).
    waits = told["resources"]["desk"]["mean_wait_days"] * told["resources"]["desk"]["requests"]
    assert waits == pytest.approx((24 + 18 + 12 + 6) / 24, abs=0.1)


def test_cells_are_collected_again_as_often_as_the_file_allows():
    text = """
network: again
classes: {patient: {arrivals: 5 per day}}
resources: {bed: 50, unit: 100}
process:
  - name: collect
    use: {resource: bed, time: 1 day}
  - name: make
    use: {resource: unit, time: 2 days}
  - fail:
      probability: 40 %
      cause: manufacture
      otherwise:
        - goto: {to: collect, probability: 50 %, most: 1}
"""

    told = found(text)

    # Lost: fails and is not collected again, or is and fails again.
    assert told["lost_fraction"] == pytest.approx(0.4 * 0.5 + 0.4 * 0.5 * 0.4, rel=0.02)
    collected = told["stages"]["collect"]["visits"] / told["patients"]
    assert collected == pytest.approx(1 + 0.4 * 0.5, rel=0.02)


def test_patients_die_and_drop_out_while_they_wait():
    text = """
network: clocks
classes:
  patient:
    arrivals: 20 per day
    survival: {exponential: {mean: 100 days}}
    drop_out: {exponential: {mean: 50 days}}
resources: {bed: 200}
process:
  - wait: 10 days
  - use: {resource: bed, time: 1 hour}
"""

    told = found(text)

    # Two exponential clocks: one of them has run out after ten days with 1 - exp(-10 (1/100 + 1/50)).
    gone = 1 - 2.718281828 ** (-10 * 0.03)
    assert told["lost_fraction"] == pytest.approx(gone / 3, rel=0.04)
    assert told["withdrawn_fraction"] == pytest.approx(gone * 2 / 3, rel=0.04)
    assert told["died_fraction"] == told["lost_fraction"]


def test_a_timetable_makes_cells_wait_for_the_next_flight():
    text = """
network: flights
start: 2026-01-05
clinics: {a: {}}
sites: {s: {}}
classes: {patient: {arrivals: 20 per day}}
resources: {desk: 100}
lanes:
  out: {modes: {air: {time: 2 hours, departures: [{days: daily, times: ["06:00", "18:00"]}]}}}
process: [{ship: out}]
"""

    # Arrivals at any time wait six hours on average for one of two flights twelve hours apart.
    assert found(text)["vein_to_vein_days"]["mean"] * 24 == pytest.approx(6 + 2, rel=0.01)


def test_every_second_supplier_shortens_the_wait_when_one_is_out():
    text = """
network: suppliers
classes: {patient: {arrivals: 2 per day}}
materials: {vector: {stock: 20, reorder_at: 20, order: 10, lead_time: 5 days, suppliers: NAMES}}
outages:
  a out: {of: a, every: {exponential: 200 days}, lasts: 40 days}
  OTHER
process: [{consume: vector}]
"""
    other = "b out: {of: b, every: {exponential: 200 days}, lasts: 40 days}"
    sole = text.replace("NAMES", "[a]").replace("  OTHER\n", "")
    two = text.replace("NAMES", "[a, b]").replace("OTHER", other)

    waits = [found(one, years=8)["materials"]["vector"]["mean_wait_days"] for one in (sole, two)]

    assert waits[0] > 4 * waits[1]
