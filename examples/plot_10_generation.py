"""
New digits
==========

A variational autoencoder draws new samples, walks from one sample to another, and with labels draws the digit that is
asked for.
"""

# %%
# Train with labels: the decoder is told the digit, so the code has to say only how it is written.

import matplotlib.pyplot as plt
import numpy as np

import npae
from npae.applications.generation import walk
from npae.datasets import load_digits

digits = load_digits()
model = npae.VariationalAutoencoder(code_size=8, beta=2, conditional=True, epochs=20, random_state=0)
model.fit(digits.train_images, digits.train_labels)

# %%
# Ten new ones of each digit. None of these is in the data.

labels = np.repeat(np.arange(10), 10)
images = model.sample(100, labels=labels, random_state=0)
figure, ax = plt.subplots(figsize=(5, 5))
ax.imshow(images.reshape(10, 10, 28, 28).swapaxes(1, 2).reshape(280, 280), cmap="gray_r")
ax.axis("off")
plt.show()

# %%
# Handwriting: the same code decoded as each digit. Slant and width of the stroke stay.

plain = npae.VariationalAutoencoder(code_size=8, beta=2, epochs=20, random_state=0).fit(digits.train_images)
codes = np.random.default_rng(0).normal(size=(4, 8)).astype("float32")
figure, axes = plt.subplots(4, 10, figsize=(8, 3.4))
for code, line in zip(codes, axes, strict=True):
    for ax, image in zip(line, model.inverse_transform(np.tile(code, (10, 1)), np.arange(10)), strict=True):
        ax.imshow(image, cmap="gray_r")
        ax.axis("off")
plt.show()

# %%
# Walks between two test digits, by a model without labels.

figure, axes = plt.subplots(3, 10, figsize=(8, 2.6))
for (a, b), line in zip([(0, 1), (3, 2), (4, 9)], axes, strict=True):
    for ax, image in zip(line, walk(plain, digits.test_images[a], digits.test_images[b], 10), strict=True):
        ax.imshow(image, cmap="gray_r")
        ax.axis("off")
plt.show()
