"""Self-test of the gradient checker: it must find and name every known mistake, and accept right gradients."""
