"""What goes wrong when two gradients are compared."""

import numpy as np

from npae.learn.mutant import mutant


def f(x, c):
    return np.abs(x - c) + x**2 - x**3


def safe(largest):
    """Nothing to divide by where both rows are zeros."""
    return np.where(largest > 0, largest, 1.0)


@mutant("relative_error", "max |a − b|", "How large a difference is depends on what it is a difference of.")
def absolute(right, A, B):
    return np.abs(A - B).max(axis=1)


@mutant("relative_error", "max (a − b) / …", "A gradient can be too small as well as too large.")
def signed(right, A, B):
    return (A - B).max(axis=1) / safe(np.maximum(np.abs(A).max(axis=1), np.abs(B).max(axis=1)))


@mutant("relative_error", "max (|a − b| / max(|a|, |b|))", "An entry that is nearly 0 must not decide alone.")
def entry_by_entry(right, A, B):
    return (np.abs(A - B) / safe(np.maximum(np.abs(A), np.abs(B)))).max(axis=1)


@mutant("relative_error", "… / (max|a| + max|b|)", "An answer that is twice too large has an error of a half.")
def divides_by_sum(right, A, B):
    return np.abs(A - B).max(axis=1) / safe(np.abs(A).max(axis=1) + np.abs(B).max(axis=1))


@mutant("relative_error", "… / max(|a| + |b|)", "An answer that is twice too large has an error of a half.")
def divides_by_sum_of_entries(right, A, B):
    return np.abs(A - B).max(axis=1) / safe((np.abs(A) + np.abs(B)).max(axis=1))


@mutant("relative_error", "… / (max(max|a|, max|b|) + 1e-8)", "Small gradients are near 1e-8 too; look for 0 itself.")
def small_number_in_divisor(right, A, B):
    return np.abs(A - B).max(axis=1) / (np.maximum(np.abs(A).max(axis=1), np.abs(B).max(axis=1)) + 1e-8)


@mutant("relative_error", "‖a − b‖ / max(‖a‖, ‖b‖)", "One wrong entry among many right ones is still wrong.")
def ratio_of_norms(right, A, B):
    return np.linalg.norm(A - B, axis=1) / safe(np.maximum(np.linalg.norm(A, axis=1), np.linalg.norm(B, axis=1)))


@mutant("relative_error", "‖a − b‖ / (‖a‖ + ‖b‖)", "One wrong entry among many right ones is still wrong.")
def norms_over_their_sum(right, A, B):
    return np.linalg.norm(A - B, axis=1) / safe(np.linalg.norm(A, axis=1) + np.linalg.norm(B, axis=1))


@mutant("relative_error", "… / max|b|", "The measure is the same whichever of the two is the wrong one.")
def divides_by_second(right, A, B):
    return np.abs(A - B).max(axis=1) / safe(np.abs(B).max(axis=1))


@mutant("relative_error", "… / the largest of all rows", "A small block beside a large one has its own measure.")
def one_measure_for_all(right, A, B):
    return np.abs(A - B).max(axis=1) / max(np.abs(A).max(), np.abs(B).max())


@mutant("relative_error", "mean |a − b| / …", "One wrong entry among many right ones is still wrong.")
def averages(right, A, B):
    return np.abs(A - B).mean(axis=1) / safe(np.maximum(np.abs(A).max(axis=1), np.abs(B).max(axis=1)))


@mutant("relative_error", "the largest value without |·|", "A gradient far below zero is a large one.")
def measure_without_absolute(right, A, B):
    largest = np.maximum(A.max(axis=1), B.max(axis=1))
    return np.abs(A - B).max(axis=1) / np.where(largest == 0, 1.0, largest)


@mutant("relative_error", "0 / 0", "Two rows of zeros are equal; say so before you divide.")
def zero_by_zero(right, A, B):
    return np.abs(A - B).max(axis=1) / np.maximum(np.abs(A).max(axis=1), np.abs(B).max(axis=1))


@mutant(
    "sides", "left = right = (f(x + h) − f(x − h)) / 2h", "Each side has a slope of its own: end at x, or begin at x."
)
def central_twice(right, x, c, h):
    central = (f(x + h, c) - f(x - h, c)) / (2 * h)
    return central, central.copy()


@mutant("sides", "left and right exchanged", "Left is where x is smaller.")
def exchanged(right, x, c, h):
    before, after = right(x, c, h)
    return after, before


@mutant("sides", "left = (f(x − h) − f(x)) / h", "Both slopes look the way in which x grows.")
def left_turned_round(right, x, c, h):
    before, after = right(x, c, h)
    return -before, after


@mutant("sides", "… / 2h", "From x to one side it is one step.")
def divides_by_two_steps(right, x, c, h):
    before, after = right(x, c, h)
    return before / 2, after / 2


@mutant("is_kink", "[right ≠ left]", "A smooth curve bends as well; look what half the step does to the difference.")
def every_bend(right, x, c, h):
    return np.ones(x.shape, dtype=bool)


@mutant("is_kink", "True and False exchanged", "The difference that stays is the kink.")
def reversed_marks(right, x, c, h):
    return ~right(x, c, h)


@mutant("is_kink", "[x = c]", "A check has slopes only; it does not know where the kink is.")
def at_c(right, x, c, h):
    return x == c


@mutant("is_kink", "[|x − c| < h]", "A check has slopes only; it does not know where the kink is.")
def within_a_step(right, x, c, h):
    return np.abs(x - c) < h


@mutant("is_kink", "right − left at h > 1", "How large a bend is does not matter; look what half the step does to it.")
def one_step_only(right, x, c, h):
    return (f(x + h, c) - 2 * f(x, c) + f(x - h, c)) / h > 1


@mutant("is_kink", "without absolute values", "A curve may bend down as well as up.")
def without_absolute_values(right, x, c, h):
    bend, near = ((f(x + s, c) - 2 * f(x, c) + f(x - s, c)) / s for s in (h, h / 2))
    return near > 0.75 * bend


@mutant("is_kink", "[x = 0]", "A kink is found from slopes; it need not be at 0.")
def at_zero(right, x, c, h):
    return x == 0


@mutant(
    "is_kink",
    "difference at h/2 > difference at h",
    "At a kink the difference stays nearly the same, it does not grow.",
)
def must_grow(right, x, c, h):
    return np.zeros(x.shape, dtype=bool)
