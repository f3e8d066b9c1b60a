"""Training steps that are taken one by one, so that a test sees each of them."""

from typing import Any

import pytest

from npae.training.replicas import ThreadReplicas


def single_steps(monkeypatch: pytest.MonkeyPatch, gradient: Any = None) -> None:
    """Let every step be taken from Python, and by ``gradient`` in place of ``ThreadReplicas.gradient``."""
    monkeypatch.setattr(ThreadReplicas, "n_steps_at_once", lambda *_: 0)
    if gradient is not None:
        monkeypatch.setattr(ThreadReplicas, "gradient", gradient)
