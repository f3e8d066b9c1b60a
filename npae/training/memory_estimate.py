"""Estimate of the memory that training takes, from the plan of the network, before anything is allocated.

::

    parameters:  θ, a dθ for each replica, the optimizer's vectors, two copies of θ that training keeps,
                 and the layers' workspaces
    batch:       activations and their gradients for each sample, divided among the replicas, and the samples

The data itself is not counted, since it is in memory before training begins.
"""

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

from npae.network.batching import batch_size_for
from npae.utils.memory import format_bytes, require_memory

if TYPE_CHECKING:
    from npae.network.base import Network

COPIES = 2  # of θ: the last that gave a finite loss at the start of an epoch, and with the lowest validation loss


def parameter_bytes_needed(net: "Network", remembered: Sequence[str], n_jobs: int) -> int:
    """Bytes that do not depend on the batch, without those that a built network has already allocated.

    Parameters
    ----------
    net : Network
        Planned or built.
    remembered : sequence of str
        Names of the vectors of θ's size that the optimizer keeps.
    n_jobs : int
        Number of replicas.
    """
    there = 2 if hasattr(net.arena, "theta") else 0  # θ and dθ
    vectors = 1 + n_jobs + len(remembered) + COPIES - there
    return vectors * net.arena.parameter_bytes + n_jobs * net.arena.workspace_bytes


def batch_bytes_needed(net: "Network", n_jobs: int, batch_size: int, n_samples: int, n_validation: int) -> int:
    """Bytes of buffers for a batch; 0 if the network has buffers of that size already.

    Parameters
    ----------
    net : Network
        Planned or built.
    n_jobs : int
        Number of replicas, among which a batch is divided.
    batch_size, n_samples : int
        Number of samples of a batch, and of an epoch.
    n_validation : int
        Number of validation samples, whose batches may be larger than a replica's share of a training batch.
    """
    arena = net.arena
    batch = min(batch_size, n_samples)
    largest = share = -(-batch // n_jobs)
    samples = batch
    block = min(n_validation, batch_size_for(arena))
    if block > share:
        largest = block
        samples += block  # a recorded step keeps the smaller buffers, too
    if arena.capacity >= largest:
        return 0
    last = (
        n_samples % batch_size if n_samples > batch_size else 0
    )  # the smaller last batch of an epoch is stored separately
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
    """Raise MemoryError if training does not fit in free memory.

    Parameters are those of ``parameter_bytes_needed``, whose bytes count as 0 if ``remembered`` is None, and of
    ``batch_bytes_needed``, whose bytes count as 0 if ``n_samples`` is 0.

    Raises
    ------
    MemoryError
        The message has the numbers of bytes and advice.
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
