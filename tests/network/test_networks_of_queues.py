"""Networks of queues, reneging, priorities, holds, shifts: against closed forms."""

import math

import pytest

from anlage.network import read
from anlage.network.simulate import outcome_of, run, settings_for


def simulated(text, *, years=1.0, warmup=0.1, replications=60, seed=11):
    network = read(text)
    settings = settings_for(
        network, years=years, warmup_years=warmup, replications=replications, seed=seed
    )
    return outcome_of(run(network, settings))


def is_inside(interval, value, slack=0.5):
    """Tell whether a value lies in an interval widened by a half, about 99.7 %."""
    low, high = interval
    return low - slack * (high - low) / 2 < value < high + slack * (high - low) / 2


def test_a_tandem_of_exponential_queues_waits_as_each_alone():
    found = simulated("""
        network: tandem
        classes: {part: {arrivals: {rate: 2 per hour}}}
        resources: {first: {capacity: 1}, second: {capacity: 1}}
        process:
          - use: {resource: first, time: {exponential: {mean: 20 min}}}
          - use: {resource: second, time: {exponential: {mean: 15 min}}}
        """)

    for name, service in (("first", 3.0), ("second", 4.0)):
        wait = 2 / service / (service - 2) / 24
        assert is_inside(found["resources"][name]["mean_wait_ci95"], wait)
    sojourn = (1 / (3 - 2) + 1 / (4 - 2)) / 24
    assert is_inside(found["vein_to_vein_days"]["ci95"], sojourn)
    assert found["infused_fraction"] == 1.0


def test_a_jackson_network_with_rework_has_the_product_form():
    found = simulated("""
        network: jackson
        classes: {part: {arrivals: {rate: 1 / hour}}}
        resources: {make: {capacity: 2}, test: {capacity: 1}}
        process:
          - name: making
            use: {resource: make, time: {exponential: {mean: 1 hour}}}
          - use: {resource: test, time: {exponential: {mean: 20 min}}}
          - branch:
              - probability: 0.25
                goto: making
              - probability: 0.75
                end: infused
        """)

    flow = 1 / 0.75
    load = flow * 1.0
    p0 = 1 / (1 + load + load**2 / 2 / (1 - load / 2))
    queue = p0 * load**2 / 2 * (load / 2) / (1 - load / 2) ** 2
    assert is_inside(found["resources"]["make"]["mean_wait_ci95"], queue / flow / 24)
    use = flow / 3
    assert is_inside(found["resources"]["test"]["mean_wait_ci95"], use / (3 - flow) / 24)
    assert is_inside(found["resources"]["make"]["utilisation_ci95"], load / 2)
    assert is_inside(found["resources"]["test"]["utilisation_ci95"], use)


def erlang_a(arrival, service, servers, patience):
    """Give the abandoning share and mean wait of M/M/n+M by its birth-death chain."""
    weights = [1.0]
    for k in range(1, 400):
        leave = min(k, servers) * service + max(0, k - servers) / patience
        weights.append(weights[-1] * arrival / leave)
    total = math.fsum(weights)
    queue = math.fsum(max(0, k - servers) * w for k, w in enumerate(weights)) / total
    return queue / patience / arrival, queue / arrival


@pytest.mark.parametrize("where", ["step", "class"])
def test_reneging_customers_leave_as_erlang_a_says(where):
    patience = "patience: {exponential: {mean: 30 min}}"
    in_step, in_class = (patience, "") if where == "step" else ("", patience)
    found = simulated(f"""
        network: erlang-a
        classes: {{caller: {{arrivals: {{rate: 10 / hour}}, {in_class}}}}}
        resources: {{agent: {{capacity: 5}}}}
        process:
          - use: {{resource: agent, time: {{exponential: {{mean: 30 min}}}}, {in_step}}}
        """)

    share, wait_hours = erlang_a(10, 2, 5, 0.5)
    assert is_inside(found["withdrawn_fraction_ci95"], share)
    assert is_inside(found["resources"]["agent"]["mean_wait_ci95"], wait_hours / 24)
    assert found["lost_fraction"] == 0


def test_a_queue_of_limited_length_turns_away_as_erlang_b_says():
    found = simulated("""
        network: erlang-b
        classes: {call: {arrivals: {rate: 8 / hour}}}
        resources: {line: {capacity: 10, queue_limit: 0}}
        process:
          - use: {resource: line, time: {lognormal: {mean: 1 hour, sd: 2 hours}}}
        """)

    blocked = 1.0
    for k in range(1, 11):
        blocked = 8 * blocked / (k + 8 * blocked)
    assert is_inside(found["lost_fraction_ci95"], blocked)
    assert is_inside(found["turned_away_fraction_ci95"], blocked)


def test_priorities_wait_by_cobham():
    found = simulated("""
        network: priorities
        classes:
          urgent: {arrivals: {rate: 0.4 / hour}, priority: 1}
          plain: {arrivals: {rate: 0.4 / hour}, priority: 2}
        resources: {desk: {capacity: 1}}
        process:
          - use: {resource: desk, time: {exponential: {mean: 1 hour}}}
        """)

    left = 0.8 * 1.0  # mean residual work
    urgent = left / (1 - 0.4) / 24
    plain = left / (1 - 0.4) / (1 - 0.8) / 24
    times = {name: row["vein_to_vein_days"] for name, row in found["classes"].items()}
    assert is_inside(times["urgent"]["ci95"], urgent + 1 / 24)
    assert is_inside(times["plain"]["ci95"], plain + 1 / 24)


def test_two_resources_held_together_are_as_busy_as_each_other():
    found = simulated("""
        network: together
        classes: {lot: {arrivals: {rate: 1 / day}}}
        resources: {unit: {capacity: 2}, operator: {capacity: 3}}
        process:
          - use: {resources: [unit, operator], time: {exponential: {mean: 1 day}}}
        """)

    unit, operator = found["resources"]["unit"], found["resources"]["operator"]
    assert unit["mean_busy"] == pytest.approx(operator["mean_busy"], rel=1e-9)
    wait = 1 / 3  # M/M/2 at one half: Wq = rho^2 / (mu (1 - rho^2)), in days
    assert is_inside(unit["mean_wait_ci95"], wait)


def test_a_lot_that_holds_its_unit_gets_the_operator_before_new_lots():
    found = simulated(
        """
        network: no-deadlock
        classes: {lot: {arrivals: {every: 1 day}}}
        resources: {unit: {capacity: 1}, operator: {capacity: 1}}
        process:
          - hold:
              resources: [unit]
              steps:
                - use: {resources: operator, time: 2 hours}
                - wait: 8 hours
                - use: {resources: {operator: 1}, time: 2 hours}
        """,
        replications=2,
    )

    assert found["resources"]["unit"]["utilisation"] == pytest.approx(0.5, abs=0.01)
    assert found["resources"]["operator"]["utilisation"] == pytest.approx(1 / 6, abs=0.01)
    assert found["vein_to_vein_days"]["mean"] == pytest.approx(0.5)


def test_a_shift_makes_the_night_wait_for_the_morning():
    found = simulated(
        """
        network: shift
        start: 2026-01-05
        classes: {lot: {arrivals: {every: 1 day}}}
        resources:
          operator: {capacity: 1, shifts: {days: mon-fri, from: "08:00", to: "16:00"}}
        process:
          - wait: 12 hours
          - use: {resource: operator, time: 1 hour}
        """,
        replications=1,
        years=2,
        warmup=1,
    )

    # Each lot comes to the desk at noon: five days at once, Saturday's and Sunday's on Monday at
    # 8:00 (44 h and 20 h, the second after an hour's work).
    waits = (0 * 5 + 44 + 20 + 1) / 7
    assert found["resources"]["operator"]["mean_wait_days"] * 24 == pytest.approx(waits, rel=0.01)
    assert found["resources"]["operator"]["mean_capacity"] == pytest.approx(40 / 168, rel=0.01)


def test_a_loop_ends_after_its_most_rounds():
    found = simulated(
        """
        network: loop
        classes: {lot: {arrivals: {every: 1 day}}}
        resources: {unit: {capacity: 5}}
        process:
          - name: make
            use: {resource: unit, time: 1 hour}
          - fail: {probability: 1.0, cause: broken, retry: make, most: 2, otherwise: lost}
        """,
        replications=1,
    )

    assert found["lost_fraction"] == 1.0
    assert found["resources"]["unit"]["mean_busy"] == pytest.approx(3 / 24, rel=0.01)
    assert found["failures"]["broken"]["per_patient"] == pytest.approx(3.0)


def test_arrivals_in_office_hours_keep_their_mean_rate():
    found = simulated("""
        network: office
        classes:
          patient:
            arrivals: {rate: 700 / year, open: {days: mon-fri, from: "08:00", to: "16:00"}}
        resources: {bed: {capacity: unlimited}}
        process:
          - use: {resource: bed, time: {gamma: {mean: 2 days, cv: 0.5}}}
        """)

    assert found["arrivals"] / 60 / 0.9 == pytest.approx(700, rel=0.02)
    assert found["resources"]["bed"]["mean_busy"] == pytest.approx(700 / 365.25 * 2, rel=0.03)


def test_a_base_stock_waits_as_an_infinite_server_pipeline():
    # One for one ordering, Poisson demand, lead time L: backorders are those of a Poisson pipeline
    # (Palm's theorem); the mean wait of a demand follows by Little.
    found = simulated("""
        network: base-stock
        classes: {lot: {arrivals: {rate: 1 / day}}}
        resources: {bench: {capacity: unlimited}}
        materials: {vector: {stock: 4, reorder_at: 3, order: 1, lead_time: 3 days}}
        process:
          - consume: vector
          - use: {resource: bench, time: 1 hour}
        """)

    pipeline = [math.exp(-3) * 3**k / math.factorial(k) for k in range(60)]
    backorders = math.fsum((k - 4) * p for k, p in enumerate(pipeline) if k > 4)
    assert is_inside(found["stages"]["vector"]["mean_wait_ci95"], backorders)


def test_an_outage_takes_its_share_of_time():
    found = simulated("""
        network: outage
        classes: {lot: {arrivals: {rate: 1 / week}}}
        resources: {unit: {capacity: 3}}
        outages: {stop: {of: unit, every: {exponential: 9 days}, lasts: {exponential: 1 day}}}
        process:
          - use: {resource: unit, time: 1 hour}
        """)

    assert found["resources"]["unit"]["mean_capacity"] == pytest.approx(2.7, rel=0.02)


def test_a_batch_goes_on_when_it_is_full_or_its_first_has_waited_enough():
    found = simulated(
        """
        network: batch
        classes: {sample: {arrivals: {every: 1 hour}}}
        resources: {oven: {capacity: 100}}
        process:
          - gather: {size: 4}
          - use: {resource: oven, time: 1 hour}
        """,
        replications=1,
        years=0.2,
        warmup=0.05,
    )

    assert found["vein_to_vein_days"]["mean"] * 24 == pytest.approx((3 + 2 + 1 + 0) / 4 + 1)


def test_drop_out_and_death_share_one_clock_each_from_arrival():
    found = simulated("""
        network: clocks
        classes:
          patient:
            arrivals: {rate: 20 / day}
            drop_out: {exponential: {mean: 20 days}}
            survival: {exponential: {mean: 40 days}}
        resources: {unit: {capacity: unlimited}}
        process:
          - wait: 10 days
        """)

    left = 1 - math.exp(-10 * (1 / 20 + 1 / 40))
    assert is_inside(found["withdrawn_fraction_ci95"], left * 2 / 3, 1.0)
    assert is_inside(found["died_fraction_ci95"], left / 3, 1.0)
    total = sum(found[f"{name}_fraction"] for name in ("infused", "lost", "withdrawn"))
    assert total == pytest.approx(1.0)
