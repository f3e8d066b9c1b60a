"""A training step of each of the five models: ``pytest benchmarks --benchmark-only``."""

import pytest

from npae.cli.bench.models import MODELS, images_for, new_model


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("name", MODELS)
def test_step(benchmark, name, n_jobs):
    x = images_for(name, MODELS[name]["batch_size"])
    training = new_model(name, n_jobs).partial_fit(x).training_
    benchmark(training.fit, x, 1)
