"""The networks of npae's deep and variational autoencoder in plain PyTorch, with PyTorch's own initialisation.

Written as a user writes them; ``peers.py`` runs them and counts their lines. ``s`` is as in ``peer_programs.py``.
"""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812


def stack(sizes):
    layers = [part for a, b in pairwise(sizes) for part in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


def train_by(loss_of, parameters, x, s):
    optimizer = torch.optim.Adam(parameters, lr=1e-3)
    for _ in range(s.epochs):
        for batch in torch.randperm(len(x)).split(s.batch_size):
            optimizer.zero_grad()
            loss_of(x[batch]).backward()
            optimizer.step()


def rebuild(train, test, s, loss="bce"):
    torch.manual_seed(s.seed)
    sizes = [train.shape[1], *s.hidden, s.code_size]
    net = nn.Sequential(stack(sizes), stack(sizes[::-1]))

    def loss_of(x):
        if loss == "mse":
            return F.mse_loss(net(x), x, reduction="sum") / len(x)
        return F.binary_cross_entropy_with_logits(net(x), x, reduction="sum") / len(x)

    train_by(loss_of, net.parameters(), torch.tensor(train), s)
    with torch.no_grad():
        y = net(torch.tensor(test))
        return (y if loss == "mse" else y.sigmoid()).numpy()


def rebuild_squared(train, test, s):
    return rebuild(train, test, s, loss="mse")


def score(train, test, s):
    return ((rebuild(train, test, s, loss="mse") - test) ** 2).mean(axis=1)


def generate(train, n, s):
    torch.manual_seed(s.seed)
    sizes = [train.shape[1], *s.hidden]
    encoder = nn.Sequential(stack(sizes), nn.ReLU(), nn.Linear(sizes[-1], 2 * s.code_size))
    decoder = stack([s.code_size, *sizes[::-1]])

    def loss_of(x):
        mu, log_var = encoder(x).chunk(2, dim=1)
        z = mu + (log_var / 2).exp() * torch.randn_like(mu)
        kl = 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum()
        return (F.binary_cross_entropy_with_logits(decoder(z), x, reduction="sum") + kl) / len(x)

    train_by(loss_of, [*encoder.parameters(), *decoder.parameters()], torch.tensor(train), s)
    with torch.no_grad():
        return {"prior": decoder(torch.randn(n, s.code_size)).sigmoid().numpy()}
