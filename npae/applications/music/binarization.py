"""From the probabilities that a model gives to zeros and ones: as many voices as it expects, in notes that are held."""

import numpy as np

from npae.utils.types import Array

SMALLEST = 1e-6  # probabilities are kept away from 0 and 1 by it
PIECE = 256  # bars at once, which limits memory
ROUNDS = 60
FIRST_STEP = 0.5  # nats
SILENT, BEGINS, HELD = 0, 1, 2  # states of a cell


def binarize(bars: Array) -> Array:
    """The most probable bars in which notes are held only where they began, and as many sound as the model expects.

    At each step as many pitches sound as the probabilities of sounding add up to, as nearly as held notes allow.
    Without that condition fewer would: a cell of probability 0.4 never would, and a step of which the model is not sure
    would be silent. Under it, each pitch takes the most probable way through the states "silent", "begins" and "held",
    where only a note that sounds can be held (Viterbi 1967). A note of one step needs a beginning of its own, so that
    there are few.

    Parameters
    ----------
    bars : ndarray of shape (n, steps, pitches, 2)
        Probabilities that a pitch sounds (channel 0), and that it begins (channel 1). Values beyond [0, 1] are cut.

    Returns
    -------
    ndarray of float32, of the same shape
        Zeros and ones. A note may sound from the first step on without beginning: it goes on from the bar before. Bars
        of zeros and ones of that kind stay as they are.

    Examples
    --------
    >>> import numpy as np
    >>> from npae.applications.music import binarize
    >>> bar = np.zeros((1, 3, 2, 2))
    >>> bar[0, :, 0, 0] = [0.9, 0.45, 0.9]  # one pitch: it is held over a step where it is not sure
    >>> bar[0, 0, 0, 1] = 0.8
    >>> bar[0, :, 1, 0] = [0.1, 0.4, 0.1]
    >>> binarize(bar)[0, :, :, 0].T
    array([[1., 1., 1.],
           [0., 0., 0.]], dtype=float32)
    """
    pieces = [_binarize(bars[first : first + PIECE]) for first in range(0, len(bars), PIECE)]
    return np.concatenate([np.zeros((0, *bars.shape[1:]), np.float32), *pieces])


def _binarize(bars: Array) -> Array:
    p = np.clip(np.asarray(bars, np.float64), SMALLEST, 1 - SMALLEST)
    sounds, begins = np.log(p[..., 0]), np.log(p[..., 1])
    is_silent, is_held = np.log1p(-p[..., 0]), np.log1p(-p[..., 1])
    scores = np.stack([is_silent + is_held, sounds + begins, sounds + is_held], axis=-1)  # (n, steps, pitches, 3)
    wanted = np.rint(np.clip(bars[..., 0], 0, 1).sum(axis=2, dtype=np.float64)).astype(np.int64)  # (n, steps)
    states = _with_counts(scores, wanted)
    return np.stack([states != SILENT, states == BEGINS], axis=-1).astype(np.float32)


def _with_counts(scores: Array, wanted: Array) -> Array:
    """States (n, steps, pitches) of which as near to ``wanted`` (n, steps) as possible sound at each step.

    The conditions are met by Lagrange multipliers: sounding at a step is worth more where too few pitches sound, until
    as many do (subgradient method; Held, Wolfe & Crowder 1974). The best states on the way are kept.
    """
    multipliers = np.zeros(wanted.shape)  # nats
    best = _viterbi(scores, multipliers)
    short = wanted - _sounding(best)
    missed = np.abs(short).sum(axis=1)  # (n,)
    for i in range(ROUNDS):
        if not missed.any():
            break
        multipliers += FIRST_STEP / (1 + i / 10) * np.clip(short, -2, 2)
        states = _viterbi(scores, multipliers)
        short = wanted - _sounding(states)
        is_better = np.abs(short).sum(axis=1) < missed
        best[is_better], missed[is_better] = states[is_better], np.abs(short).sum(axis=1)[is_better]
    return best


def _sounding(states: Array) -> Array:
    count: Array = (states != SILENT).sum(axis=2)
    return count


def _viterbi(scores: Array, multipliers: Array) -> Array:
    """The best states, where a held cell follows one that sounds, and sounding is worth ``multipliers`` more.

    The multipliers have shape (n, steps). The first step may be held: the note may have begun in the bar before.
    """
    n, n_steps, n_pitches, _ = scores.shape
    scores = scores + multipliers[:, :, None, None] * np.array([0.0, 1.0, 1.0])
    best = scores[:, 0]  # (n, pitches, 3), of the best way to each state
    came_from = np.zeros((n_steps, n, n_pitches, 3), np.int8)
    for step in range(1, n_steps):
        before = best.argmax(axis=-1)
        sounding_before = 1 + best[..., 1:].argmax(axis=-1)
        came_from[step] = np.stack([before, before, sounding_before], axis=-1)
        best = scores[:, step] + np.take_along_axis(best, came_from[step].astype(np.int64), axis=-1)
    states = np.empty((n, n_steps, n_pitches), np.int8)
    state = best.argmax(axis=-1)  # (n, pitches)
    for step in reversed(range(n_steps)):
        states[:, step] = state
        state = np.take_along_axis(came_from[step], state[..., None].astype(np.int64), axis=-1)[..., 0]
    return states
