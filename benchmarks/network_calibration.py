"""Calibration in the open: the model against published turnaround, with the misfit printed.

Run: `python -m benchmarks.network_calibration`. Two inputs that nobody publishes, mean and spread
of quality control and release, are fitted to two published figures; everything else is a published
input, and what follows from it stands beside what was reported.

Sources: axi-cel in Europe through the US plant, EHA PB1445 (apheresis to release: median 25 d,
mean 26.2 d, 1040 of 1074 lots released); trials, PMC8427697 table 2 (manufacture failed; made but
not received); transport and 7 d manufacture, Triantafyllou 2022; survival while waiting
(1 - w)^(t / 42 d), an assumption of the literature.
"""

import math

from scipy.optimize import minimize

from anlage.network import Network, read
from anlage.network.simulate import outcome_of, run, settings_for

MEDIAN, MEAN, RELEASED = 25.0, 26.2, 1040 / 1074
TRIALS = {
    # product: manufacture failed, made but not received
    "tisa-cel": (0.07, 0.23),
    "axi-cel": (0.01, 0.11),
    "liso-cel": (0.01, 0.08),
    "KTE-X19": (0.04, 0.14),
    "ide-cel": (0.01, 0.08),
}
TURNAROUND = """
network: turnaround
classes: {patient: {arrivals: {rate: 1074 / year}}}
resources: {line: 40}
process:
  - name: to the plant
    wait: {lognormal: {mean: 2 days, cv: 0.2}}
  - name: manufacture
    use: {resource: line, time: {triangular: [6 days, 7 days, 8 days]}}
  - fail: {probability: 1 %, cause: manufacture, retry: manufacture, most: 1}
  - name: control and release
    wait: {lognormal: {mean: MEAN d, sd: SD d}}
  - fail: {probability: 3 %, cause: out of specification}
"""


def main() -> None:
    """Fit, and print fit and misfit."""
    best = minimize(
        _misfit,
        x0=[math.log(17.0), math.log(7.0)],
        method="Nelder-Mead",
        options={"xatol": 1e-3, "fatol": 1e-5, "maxiter": 60},
    )
    mean, sd = (math.exp(value) for value in best.x)
    found = _run(_turnaround(mean, sd), 40)
    time = found["vein_to_vein_days"]
    print(f"fitted: control and release take {mean:.1f} d on average, sd {sd:.1f} d")
    print(
        f"{'apheresis to release, axi-cel in Europe':<44}{'published':>11}{'model':>9}{'misfit':>9}"
    )
    rows = (
        ("median (d), fitted", MEDIAN, time["median"]),
        ("mean (d), fitted", MEAN, time["mean"]),
        ("released, from published failure rates", RELEASED, found["infused_fraction"]),
    )
    for name, published, model in rows:
        print(f"  {name:<42}{published:>11.3f}{model:>9.3f}{model / published - 1:>+9.1%}")
    print("\nmade but not received, from survival while waiting alone (not fitted)")
    print(f"  {'product':<12}{'published':>11}" + "".join(f"{f'w {w:.0%}':>9}" for w in _RISKS))
    for product, (failed, published) in TRIALS.items():
        shares = [_not_received(mean, sd, failed, risk) for risk in _RISKS]
        print(f"  {product:<12}{published:>11.0%}" + "".join(f"{share:>9.1%}" for share in shares))
    print("What is left over is not loss while waiting for the product: progression, toxicity of")
    print("bridging, withdrawal, product out of specification. The model does not invent it.")


_RISKS = (0.02, 0.05, 0.15)


def _turnaround(mean: float, sd: float) -> Network:
    return read(TURNAROUND.replace("MEAN", f"{mean:.6f}").replace("SD", f"{sd:.6f}"))


def _misfit(logs: list[float]) -> float:
    """Give the squared relative misfit of median and mean, under the same chance each time."""
    time = _run(_turnaround(math.exp(logs[0]), math.exp(logs[1])), 20)["vein_to_vein_days"]
    return 1e3 * ((time["median"] / MEDIAN - 1) ** 2 + (time["mean"] / MEAN - 1) ** 2)


def _not_received(mean: float, sd: float, failed: float, risk: float) -> float:
    """Give the part of the products made whose patient died or could not wait."""
    clock = -42 / math.log(1 - risk)
    text = TURNAROUND.replace("MEAN", f"{mean:.6f}").replace("SD", f"{sd:.6f}")
    text = text.replace("1074 / year}", f"1074 / year}}, survival: {{exponential: {clock:.3f} d}}")
    text = text.replace("probability: 1 %", f"probability: {failed}")
    found = _run(read(text), 20)
    return found["died_fraction"] / (found["died_fraction"] + found["infused_fraction"])


def _run(network: Network, replications: int) -> dict:
    settings = settings_for(network, years=2, warmup_years=0.5, replications=replications, seed=4)
    return outcome_of(run(network, settings))


if __name__ == "__main__":
    main()
