"""Recorded calls of kernels, and the threads that carry them out."""
