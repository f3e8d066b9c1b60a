"""PyTorch with ``torch.compile`` over network and loss, forward and backward."""

from collections.abc import Callable
from typing import Any

import torch

from npae.cli.bench.peers import torch_eager


class Contender(torch_eager.Contender):
    """As in eager mode, but compiled, including a second version for an epoch's smaller last batch."""

    def compiled(self, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        torch._dynamo.reset()
        compiled: Callable[[Any], Any] = torch.compile(function, dynamic=False)
        return compiled
