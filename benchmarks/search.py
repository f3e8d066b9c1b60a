"""A search of an index beside plain NumPy in float32, which compares as npae does but does not make sure of the order.

    python benchmarks/search.py --codes 10000000 --size 32

Times are interleaved, and the median of each is shown.
"""

import argparse
import statistics
import time

import numpy as np

from npae.applications.retrieval import METRICS, Index

BLOCK = 16_384


def plain(codes: np.ndarray, queries: np.ndarray, k: int, metric: str) -> np.ndarray:
    """The places of the k nearest by float32 alone, a block of codes at a time."""
    lowest, places = np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), np.int64)
    for start in range(0, len(codes), BLOCK):
        block = codes[start : start + BLOCK]
        squares = np.einsum("ij,ij->i", block, block)
        distances = queries @ block.T
        if metric == "cosine":
            distances /= -np.sqrt(squares)
        else:
            distances *= -2
            distances += squares
        some = np.argpartition(distances, k, axis=1)[:, :k]
        lowest = np.concatenate([lowest, np.take_along_axis(distances, some, axis=1)], axis=1)
        places = np.concatenate([places, start + some], axis=1)
        best = np.argsort(lowest, axis=1)[:, :k]
        lowest, places = np.take_along_axis(lowest, best, axis=1), np.take_along_axis(places, best, axis=1)
    return places


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--codes", type=int, default=10**7)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--queries", type=int, default=1)
    parser.add_argument("--times", type=int, default=3)
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    codes = rng.standard_normal((args.codes, args.size), np.float32)
    queries = rng.standard_normal((args.queries, args.size), np.float32)
    for metric in METRICS:
        index = Index(codes, metric)
        seconds: dict[str, list[float]] = {"npae": [], "plain": []}
        for _ in range(args.times):
            started = time.perf_counter()
            found, _ = index.search(queries, 10)
            seconds["npae"].append(time.perf_counter() - started)
            started = time.perf_counter()
            expected = plain(codes, queries, 10, metric)
            seconds["plain"].append(time.perf_counter() - started)
        medians = {name: statistics.median(found) for name, found in seconds.items()}
        print(
            f"{metric}: npae {medians['npae']:.2f} s, plain NumPy {medians['plain']:.2f} s, ratio "
            f"{medians['npae'] / medians['plain']:.2f}, {(found == expected).mean():.0%} of the places the same"
        )


if __name__ == "__main__":
    main()
