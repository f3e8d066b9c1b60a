"""Networks: the autoencoder, recipes for the five types, inference in batches, and configurations."""
