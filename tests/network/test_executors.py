"""One run on any executor: threads, and a Dask cluster in this process, give the same bits."""

from pathlib import Path

import numpy as np
import pytest

from anlage.network import read
from anlage.network.simulate import run, run_again, settings_for, with_one_more
from anlage.network.simulate.layout import T_EVER_AWAITED

REFERENCE = Path(__file__).parents[2] / "examples" / "networks" / "reference.yaml"


@pytest.fixture
def dask_executor():
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=1,
            threads_per_worker=2,
            processes=False,
            dashboard_address=None,
            worker_dashboard_address=None,
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client.get_executor()


@pytest.mark.filterwarnings("ignore")
def test_a_dask_cluster_gives_the_same_bits_as_one_thread(dask_executor):
    network = read(REFERENCE.read_text("utf-8"))
    settings = settings_for(network, years=1, warmup_years=0.25, replications=12, seed=9)

    here = run(network, settings).results
    there = run(network, settings, executor=dask_executor).results

    for name, mine in here._asdict().items():
        assert np.array_equal(mine, getattr(there, name)), name


def test_what_is_not_run_again_would_come_out_the_same():
    network = read(REFERENCE.read_text("utf-8"))
    settings = settings_for(network, years=2, warmup_years=0.5, replications=40, seed=8)
    base = run(network, settings)
    larger = with_one_more(network, "apheresis_bed", "clinic-3")
    row = base.compiled.resources.index("apheresis_bed@clinic-3")
    awaited = np.flatnonzero(base.results.resources[:, row, T_EVER_AWAITED])

    some = run_again(base, larger, awaited)
    every = run(larger, settings)

    assert 0 < awaited.size < 40
    for name in ("run", "classes", "stages", "causes", "costs"):
        assert np.array_equal(getattr(some.results, name), getattr(every.results, name)), name


def test_a_replication_does_not_depend_on_which_others_are_run():
    network = read(REFERENCE.read_text("utf-8"))
    many = run(network, settings_for(network, years=0.5, replications=9, seed=2)).results
    few = run(network, settings_for(network, years=0.5, replications=3, seed=2)).results

    assert np.array_equal(many.classes[:3], few.classes)
    assert np.array_equal(many.resources[:3], few.resources)
