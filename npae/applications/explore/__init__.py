"""A trained model as one HTML page: a map of its codes to drag in, and a microscope for its gradients."""

from npae.applications.explore.explorer import Explorer, explore

__all__ = ["Explorer", "explore"]
