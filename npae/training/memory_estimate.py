"""Estimate of the memory that training takes, from the plan of the network, before anything is allocated.

::

    parameters:  θ, a dθ for each replica, the optimizer's vectors, three copies of θ that training keeps,
                 and what layers keep whatever the batch
    batch:       activations and their gradients for each sample, shared out among the replicas, and the samples

The data itself is not counted: it is there already when training begins.
"""

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

from npae.network.batching import batch_size_for
from npae.utils.memory import format_bytes, require_memory

if TYPE_CHECKING:
    from npae.network.base import Network

COPIES = 3  # of θ: before the epoch, after the last good one, and with the lowest validation loss


def parameter_bytes_needed(net: "Network", remembered: Sequence[str], n_jobs: int) -> int:
    """Bytes that do not depend on the batch, beyond those that a built network already has.

    Parameters
    ----------
    net : Network
        Planned or built.
    remembered : sequence of str
        The vectors of θ's size that the optimizer keeps.
    n_jobs : int
        Replicas.
    """
    there = 2 if hasattr(net.arena, "theta") else 0  # θ and dθ
    vectors = 1 + n_jobs + len(remembered) + COPIES - there
    return vectors * net.arena.parameter_bytes + n_jobs * net.arena.workspace_bytes


def batch_bytes_needed(net: "Network", n_jobs: int, batch_size: int, n_samples: int, n_validation: int) -> int:
    """Bytes of the buffers for a batch larger than any the network has had.

    Parameters
    ----------
    net : Network
        Planned or built.
    n_jobs : int
        Replicas, each of which has a share of the batch.
    batch_size, n_samples : int
        Samples of a batch, and of an epoch.
    n_validation : int
        Validation samples, which pass the network in blocks that may be larger than its share of a batch.
    """
    arena = net.arena
    batch = min(batch_size, n_samples)
    largest = share = -(-batch // n_jobs)
    samples = batch
    block = min(n_validation, batch_size_for(arena))
    if block > share:
        largest = block
        samples += block  # a recorded step still holds the smaller ones
    if arena.capacity >= largest:
        return 0
    last = n_samples % batch_size if n_samples > batch_size else 0  # an epoch's last batch has rows of its own
    return samples * arena.bytes_per_sample + (batch + last) * prod(net.input_shape) * arena.dtype.itemsize


def check_memory(
    net: "Network",
    remembered: Sequence[str] | None = None,
    *,
    n_jobs: int,
    batch_size: int = 1,
    n_samples: int = 0,
    n_validation: int = 0,
) -> None:
    """Refuse a training that does not fit into memory.

    Parameters are those of ``parameter_bytes_needed``, which is left out where ``remembered`` is None, and of
    ``batch_bytes_needed``, which is left out where there are no samples.

    Raises
    ------
    MemoryError
        With the figures, and with what to do.
    """
    parameters = 0 if remembered is None else parameter_bytes_needed(net, remembered, n_jobs)
    batch = batch_bytes_needed(net, n_jobs, batch_size, n_samples, n_validation) if n_samples else 0
    if batch > parameters:
        advice = f"lower batch_size ({batch_size}) or choose a smaller network"
    else:
        advice = "choose a smaller network: fewer hidden units, filters or values in a code"
    detail = (
        f" ({format_bytes(parameters)} for parameters, {format_bytes(batch)} for a batch)"
        if parameters and batch
        else ""
    )
    require_memory(parameters + batch, "training", advice, detail=detail)
