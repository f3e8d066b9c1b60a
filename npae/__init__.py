from npae.autoencoder import Autoencoder
