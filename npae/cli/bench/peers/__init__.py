"""The same five models in other libraries. Each module needs one of them and is imported by its own worker alone."""
