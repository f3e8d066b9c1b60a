"""Test functions with the checker's measurements: subjects, finite differences, kinks, invariants."""
