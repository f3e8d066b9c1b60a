"""Generation: interpolation, latent traversals and grids, and the ELBO and IWAE bounds of variational models.

Estimators have ``sample`` and linear ``interpolate``; here are ``paths`` on a sphere, along one dimension and over a
plane of the code, and bounds of the ``likelihood``. ``npae.applications.frechet`` measures how far samples are from
data.
"""

from npae.applications.generation.likelihood import HEADER, VARYING, Bounds, bounds, log_likelihood
from npae.applications.generation.paths import latent_grid, slerp, traversals, walk

__all__ = [
    "HEADER",
    "VARYING",
    "Bounds",
    "bounds",
    "latent_grid",
    "log_likelihood",
    "slerp",
    "traversals",
    "walk",
]
