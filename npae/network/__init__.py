"""Networks: the four slots of an autoencoder, the five recipes, batches of any length, and descriptions."""
