"""
Dimension reduction, beside PCA
===============================

How much of a digit is left after it was reduced to a few numbers, by PCA and by a deep autoencoder?
"""

# %%
# For each code size, train the network and compute PCA, and rebuild the test digits from both.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA

import npae
from npae.datasets import load_digits

digits = load_digits()
train, test = digits.train_images.reshape(-1, 784), digits.test_images.reshape(-1, 784)
sizes = (2, 4, 8, 16)
models = {"PCA": {}, "autoencoder": {}}
for size in sizes:
    models["PCA"][size] = PCA(size, random_state=0).fit(train)
    models["autoencoder"][size] = npae.DeepAutoencoder(code_size=size, epochs=15, random_state=0).fit(train)


def rebuilt(model):
    """The test images, through the code and back."""
    return model.inverse_transform(model.transform(test))


# %%
# The network needs about half as many numbers for the same error.

figure, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
for name, by_size in models.items():
    ax.plot(sizes, [np.mean((rebuilt(by_size[size]) - test) ** 2) for size in sizes], marker="o", label=name)
ax.set(xlabel="numbers in the code", ylabel="mean squared error", xscale="log", xticks=sizes, xticklabels=sizes)
ax.minorticks_off()
ax.legend()
plt.show()

# %%
# With 8 numbers: test digits, PCA, autoencoder.

figure, axes = plt.subplots(3, 8, figsize=(8, 3.2))
for line, images in zip(axes, (test, rebuilt(models["PCA"][8]), rebuilt(models["autoencoder"][8])), strict=True):
    for ax, image in zip(line, images, strict=False):
        ax.imshow(image.reshape(28, 28), cmap="gray_r", vmin=0, vmax=1)
        ax.axis("off")
plt.show()
