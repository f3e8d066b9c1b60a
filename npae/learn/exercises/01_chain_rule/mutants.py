"""What goes wrong with the chain rule."""

import numpy as np

from npae.learn.mutant import mutant


@mutant("chain", "dx = dw = db = g·2u", "Every step on the way is a factor, the first step too.")
def outer_only(right, g, x, w, b):
    du = 2 * g * (w * x + b)
    return du, du, du


@mutant("chain", "dx = ∂y/∂x, without g", "The gradient from above is a factor too.")
def no_upstream(right, g, x, w, b):
    return right(1.0, x, w, b)


@mutant("chain", "∂y/∂u = 2x", "The slope of a step is taken at the value that went into that step.")
def outer_at_x(right, g, x, w, b):
    return 2 * g * x * w, 2 * g * x * x, 2 * g * x


@mutant("chain", "∂y/∂u = u", "The derivative of a square brings its exponent down.")
def no_two(right, g, x, w, b):
    return right(g / 2, x, w, b)


@mutant("chain", "dx = g·2u·x, dw = g·2u·w", "The slope of a product by one factor is the other factor.")
def swapped(right, g, x, w, b):
    dx, dw, db = right(g, x, w, b)
    return dw, dx, db


@mutant("chain", "dx = g + 2u + w", "Slopes in a row multiply; they add where paths meet.")
def adds_slopes(right, g, x, w, b):
    outer = g + 2 * (w * x + b)
    return outer + w, outer + x, outer + 1


@mutant("paths", "dx = g·sin(a·x)", "Count in how many places x is used.")
def path_through_sine_lost(right, g, x, a):
    return g * np.sin(a * x), right(g, x, a)[1]


@mutant("paths", "dx = g·x·cos(a·x)·a", "Count in how many places x is used.")
def path_of_factor_lost(right, g, x, a):
    return g * x * np.cos(a * x) * a, right(g, x, a)[1]


@mutant("paths", "dx = the product of both paths", "Slopes in a row multiply; slopes of paths that meet add.")
def multiplies_paths(right, g, x, a):
    return g * np.sin(a * x) * x * np.cos(a * x) * a, right(g, x, a)[1]


@mutant("paths", "cos(a·x) without the slope of a·x", "What stands inside the sine is a step of its own.")
def inner_lost(right, g, x, a):
    return g * (np.sin(a * x) + x * np.cos(a * x)), g * x * np.cos(a * x)


@mutant("paths", "sin′ = −cos", "Where the sine rises from 0 its slope is 1.")
def cosine_sign(right, g, x, a):
    return g * (np.sin(a * x) - x * np.cos(a * x) * a), -right(g, x, a)[1]


@mutant("paths", "dx = ∂y/∂x, without g", "The gradient from above is a factor too.", name="no-upstream")
def paths_no_upstream(right, g, x, a):
    return right(1.0, x, a)
