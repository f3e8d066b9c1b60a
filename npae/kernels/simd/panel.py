"""Matrix products by panels: some columns of B are copied to contiguous memory, and tiles run down the rows of A.

A *panel* is an array of 33 KiB that a kernel allocates (packing; Goto & van de Geijn 2008). Its rows are ``LINE`` bytes
wide; with R = ``ROWS`` they are::

    row 0          initial values of the sums: a bias, or zeros
    rows 1 to R    results, if fewer columns than a row are left
    then           up to ``DEPTH`` rows of B

The copy takes as long as the product with one row of A and saves far more: the rows of a wide B lie on different pages
of memory, and if its width is a power of two, they compete for the same few sets of the cache.
"""

from typing import Any

import numpy as np

from npae.kernels.jit import jit, shared_jit
from npae.kernels.reference.array import Array
from npae.kernels.simd.copy import copy, fetch, transpose_block
from npae.kernels.simd.llvm import LINE
from npae.kernels.simd.tile import tile
from npae.kernels.target import ROWS

HEAD = 1 + ROWS  # lines of a panel before those of B
DEPTH = 512  # rows of B in a panel: 32 KiB

# Numba may compile a function once for each literal argument, but not for these typed constants.
ZERO: Any = np.intp(0)
ONE: Any = np.intp(1)
NO: Any = np.bool_(False)
YES: Any = np.bool_(True)


@shared_jit
def new_panel(like: Array) -> Array:
    """A panel of zeros for arrays of the dtype of ``like``, aligned to a cache line."""
    lanes = LINE // like.itemsize
    memory = np.zeros((HEAD + DEPTH + 1) * lanes, like.dtype)
    skip = -memory.ctypes.data % LINE // like.itemsize
    return memory[skip : skip + (HEAD + DEPTH) * lanes]


@jit
def start_from(values: Array, first: int, width: int, panel: Array) -> None:
    """Set the initial values of the next product's sums to ``width`` of ``values``, from ``first`` on."""
    copy(values, first, panel, 0, width)


@shared_jit
def copy_rows(b: Array, first: int, row: int, n_rows: int, width: int, panel: Array, place: int) -> None:
    """Copy rows of B, ``row`` elements apart, to the panel's rows from ``place`` on; columns beyond ``width`` stay."""
    lanes = LINE // panel.itemsize
    at = (HEAD + place) * lanes
    for _ in range(n_rows):
        if width == lanes:
            fetch(b, first + lanes)  # prefetch the next panel's part of this row
            copy(b, first, panel, at, lanes)
        else:
            copy(b, first, panel, at, width)
        at += lanes
        first += row


@shared_jit
def copy_transposed(b: Array, first: int, row: int, n_rows: int, width: int, panel: Array) -> None:
    """Copy ``width`` rows of B, ``row`` elements apart, to columns of the panel."""
    lanes = LINE // panel.itemsize
    at = HEAD * lanes
    in_blocks = n_rows // lanes * lanes if width == lanes else 0
    for k in range(0, in_blocks, lanes):
        transpose_block(b, first + k, row, panel, at + k * lanes)
    for i in range(width):
        for k in range(in_blocks, n_rows):
            panel[at + k * lanes + i] = b[first + i * row + k]


@shared_jit
def multiply(
    n_rows: int,
    segments: int,
    steps: int,
    a: Array,
    a_at: int,
    a_row: int,
    a_segment: int,
    a_step: int,
    panel: Array,
    c: Array,
    c_at: int,
    c_row: int,
    width: int,
    fresh: bool,
) -> None:
    """C = start + A·B (``fresh``) or C += A·B, for ``width`` columns of C and the panel's B; see ``tile``."""
    lanes = LINE // panel.itemsize
    whole = width == lanes
    b_at = HEAD * lanes
    # initial values and results: in C itself, or in the panel
    start = panel if fresh or not whole else c
    start_row = 0 if fresh else c_row if whole else lanes
    into = c if whole else panel
    into_row = c_row if whole else lanes
    tiles = (n_rows + ROWS - 1) // ROWS
    if tiles == 0:
        return
    fewest, larger = n_rows // tiles, n_rows % tiles  # tiles of similar size: 14 rows are 5 + 5 + 4, not 6 + 6 + 2
    for i in range(tiles):
        rows = fewest + (1 if i < larger else 0)
        into_at = c_at if whole else lanes
        start_at = 0 if fresh else into_at
        if not (whole or fresh):
            for r in range(rows):
                copy(c, c_at + r * c_row, panel, (1 + r) * lanes, width)
        tile(
            rows,
            segments,
            steps,
            a,
            a_at,
            a_row,
            a_segment,
            a_step,
            panel,
            b_at,
            start,
            start_at,
            start_row,
            into,
            into_at,
            into_row,
        )
        if not whole:
            for r in range(rows):
                copy(panel, (1 + r) * lanes, c, c_at + r * c_row, width)
        a_at += rows * a_row
        c_at += rows * c_row
