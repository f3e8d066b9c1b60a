"""Numbers and truth values that layers, networks, optimizers and functions take: Python's and NumPy's alike."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.small_models import fitted, samples

import npae
from npae import Autoencoder, Checkpoints, layers
from npae.applications import generation, reduction
from npae.applications.pca import PCA
from npae.applications.quantization import Quantizer
from npae.applications.retrieval import Index
from npae.gradcheck.engine.examine import CheckSettings
from npae.layers import Dense
from npae.network import recipes, saving
from npae.training import optimizers, schedules
from npae.training.split import split_off
from npae.training.trainer import Training
from npae.utils.pictures import grid
from npae.utils.randomness import generator

X = samples(30, 6)


def net(**options: Any) -> Autoencoder:
    return Autoencoder([Dense(2)], [Dense(6)], loss="mse").build((6,), **options)


def trained(**options: Any) -> None:
    Training(net(), optimizers.SGD(), **{"batch_size": 10, **options}).fit(X, 1)


#: Calls with a whole number of at least 1, or 0 where 0 is named.
WHOLE: dict[str, Callable[[Any], Any]] = {
    "Dense": lambda n: layers.Dense(n),
    "Conv2D": lambda n: layers.Conv2D(n),
    "Conv2D kernel_size": lambda n: layers.Conv2D(2, n),
    "Conv2D kernel_size pair": lambda n: layers.Conv2D(2, (n, 3)),
    "Conv2D stride": lambda n: layers.Conv2D(2, stride=n),
    "Conv2D padding": lambda n: layers.Conv2D(2, padding=n),
    "Conv2D padding pair": lambda n: layers.Conv2D(2, padding=(1, n)),
    "Conv2D padding pairs": lambda n: layers.Conv2D(2, padding=((0, n), (1, 1))),
    "MaxPool2D": lambda n: layers.MaxPool2D(n),
    "MaxPool2D padding": lambda n: layers.MaxPool2D(9, padding=n),
    "AveragePool2D stride": lambda n: layers.AveragePool2D(2, stride=n),
    "UpSample2D": lambda n: layers.UpSample2D(n),
    "UpSample2D output_size": lambda n: layers.UpSample2D(2, output_size=(n, 3)),
    "Reshape": lambda n: layers.Reshape((n, 2)),
    "Reparameterization": lambda n: layers.Reparameterization(n),
    "Reparameterization warm_up_steps": lambda n: layers.Reparameterization(2, warm_up_steps=n),
    "hidden": lambda n: recipes.deep((6,), hidden=(n,)),
    "filters": lambda n: recipes.convolutional((6,), filters=(n,)),
    "input_shape": lambda n: Autoencoder([Dense(2)], [Dense(3)]).build((n,)),
    "seed": lambda n: net(seed=n),
    "generator": lambda n: generator(n, "test"),
    "batch_size": lambda n: trained(batch_size=n),
    "n_jobs": lambda n: trained(n_jobs=n),
    "epochs": lambda n: Training(net(), optimizers.SGD()).fit(X, n),
    "patience": lambda n: Training(net(), optimizers.SGD()).fit(X, 1, validation=X, patience=n),
    "keep": lambda n: Checkpoints("folder", keep=n),
    "every": lambda n: Checkpoints("folder", every=n),
    "StepDecay": lambda n: schedules.StepDecay(n),
    "Cosine": lambda n: schedules.Cosine(n),
    "WarmUp": lambda n: schedules.WarmUp(n),
    "encode": lambda n: net().encode(X, n_jobs=n),
    "columns": lambda n: grid(np.zeros((4, 3, 3)), n),
    "gap": lambda n: grid(np.zeros((4, 3, 3)), gap=n),
    "bits": lambda n: Quantizer.fit(X, n),
    "k": lambda n: Index(X).search(X, n),
    "neighbour_overlap": lambda n: reduction.neighbour_overlap(X, X, n),
    "PCA": lambda n: PCA(X, n),
    "gradcheck seed": lambda n: CheckSettings("fast", seed=n),
}
REAL: dict[str, Callable[[Any], Any]] = {
    "LeakyReLU": lambda x: layers.LeakyReLU(x),
    "GaussianNoise": lambda x: layers.GaussianNoise(x),
    "GaussianNoise clip": lambda x: layers.GaussianNoise(0.1, clip=(-3, x)),
    "MaskingNoise": lambda x: layers.MaskingNoise(x),
    "SaltAndPepperNoise": lambda x: layers.SaltAndPepperNoise(x),
    "Dropout": lambda x: layers.Dropout(x),
    "ActivityL1": lambda x: layers.ActivityL1(x),
    "Reparameterization": lambda x: layers.Reparameterization(2, beta=x),
    "weight_decay": lambda x: Autoencoder([Dense(2)], [Dense(6)], weight_decay=x),
    "activity_l1": lambda x: recipes.deep((6,), activity_l1=x),
    "learning_rate": lambda x: optimizers.Adam(x),
    "beta1": lambda x: optimizers.Adam(0.1, beta1=x),
    "epsilon": lambda x: optimizers.RMSprop(0.1, epsilon=x),
    "decay": lambda x: optimizers.RMSprop(0.1, decay=x),
    "momentum": lambda x: optimizers.SGD(0.1, momentum=x),
    "AdamW": lambda x: optimizers.AdamW(0.1, weight_decay=x),
    "factor": lambda x: schedules.StepDecay(3, x),
    "floor": lambda x: schedules.Cosine(3, x),
    "clip_norm": lambda x: trained(clip_norm=x),
    "validation_fraction": lambda x: split_off(X, None, x, 0, "auto"),
    "reach": lambda x: generation.traversals(fitted("vanilla"), samples(1, 12)[0], reach=x),
    "budget_s": lambda x: CheckSettings("fast", budget_s=x),
    "tolerance": lambda x: CheckSettings("fast", tolerance=x),
}
TRUTH: dict[str, Callable[[Any], Any]] = {
    "fuse": lambda flag: net(fuse=flag),
    "recorded": lambda flag: net(recorded=flag),
    "tied_weights": lambda flag: recipes.vanilla((6,), tied_weights=flag),
    "verbose": lambda flag: Training(net(), optimizers.SGD()).fit(X, 1, verbose=flag),
    "resume": lambda flag: Checkpoints("folder", resume=flag),
    "spherical": lambda flag: generation.walk(fitted("vanilla"), samples(1, 12)[0], samples(2, 12)[1], spherical=flag),
}


@pytest.mark.parametrize("call", WHOLE.values(), ids=WHOLE)
def test_whole_numbers_of_numpy_are_taken_and_others_are_refused(call: Callable[[Any], Any]) -> None:
    for value in (3, np.int64(3), np.uint8(3)):
        call(value)
    for value in (True, np.bool_(True), 3.0, np.float64(3), "3x", 1j, np.array(3)):
        with pytest.raises(ValueError, match="expected") as caught:
            call(value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("call", REAL.values(), ids=REAL)
def test_real_numbers_of_numpy_are_taken_and_others_are_refused(call: Callable[[Any], Any]) -> None:
    for value in (0.5, np.float64(0.5), np.float32(0.5)):
        call(value)
    for value in (True, np.bool_(True), "0.5", float("nan"), 1j, np.array(0.5)):
        with pytest.raises(ValueError, match="expected") as caught:
            call(value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("call", TRUTH.values(), ids=TRUTH)
def test_truth_values_of_numpy_are_taken_and_others_are_refused(call: Callable[[Any], Any]) -> None:
    for value in (np.bool_(True), True, np.False_):
        call(value)
    for value in ("no", 1, 0, None):
        with pytest.raises(ValueError, match="expected True or False"):
            call(value)


def test_a_network_of_numpys_numbers_is_described_in_plain_json(tmp_path: Path) -> None:
    made = Autoencoder(
        [layers.Conv2D(np.int64(2), np.int8(3), stride=np.int64(2), padding=np.array([1, 1])), layers.Flatten()],
        [Dense(np.int32(9)), Dense(36), layers.Reshape(np.array([6, 6, 1]))],
        loss="mse",
        weight_decay=np.float32(0.5),
        corrupt=[layers.GaussianNoise(np.float64(0.1), clip=np.array([0, 1.0]))],
        code=[layers.ActivityL1(np.float32(0.25))],
    ).build(np.array([6, 6, 1]), seed=np.uint64(3))
    assert json.loads(json.dumps(made.config()))["weight_decay"] == 0.5
    saving.save(made, tmp_path / "network.safetensors")
    assert npae.load(tmp_path / "network.safetensors").config() == made.config()
