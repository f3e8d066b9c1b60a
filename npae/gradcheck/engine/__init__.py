"""The checker's measurements: subjects (the code under test), finite differences, kinks, invariants."""
