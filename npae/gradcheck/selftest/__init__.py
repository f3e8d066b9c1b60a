"""Known mistakes planted in every layer: the checker must find all of them and name them."""
