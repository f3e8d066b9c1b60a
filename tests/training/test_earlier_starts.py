"""Runs whose last layer started otherwise, as those of an earlier npae, are resumed to the same bits."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.small_models import TYPES, data_for, unfitted

from npae import Checkpoints
from npae.network import output_start
from npae.utils.errors import CheckpointError


@pytest.mark.parametrize("kind", TYPES)
def test_a_run_from_before_there_were_gains_is_resumed_to_the_same_bits_twice(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = data_for(kind, 45)
    with monkeypatch.context() as earlier:
        earlier.setattr(output_start, "OUTPUT_GAINS", {})
        unbroken = unfitted(kind, epochs=3).fit(x)
        unfitted(kind, epochs=1).fit(x, checkpoints=Checkpoints(tmp_path))
    for epochs in (2, 3):  # the second time from a checkpoint that this npae has written
        model = unfitted(kind, epochs=epochs).fit(x, checkpoints=Checkpoints(tmp_path, resume=True))
    np.testing.assert_array_equal(model.network_.theta, unbroken.network_.theta)
    assert model.network_.config() == unbroken.network_.config()
    assert not np.array_equal(unfitted(kind, epochs=3).fit(x).network_.theta, unbroken.network_.theta)


def test_a_run_of_another_network_is_refused_as_ever(tmp_path: Path) -> None:
    x = data_for("deep", 45)
    unfitted("deep", epochs=1).fit(x, checkpoints=Checkpoints(tmp_path))
    other: Any = unfitted("deep", epochs=1, code_size=2)
    with pytest.raises(CheckpointError, match="code_size was"):
        other.fit(x, checkpoints=Checkpoints(tmp_path, resume=True))
