"""
Deep: a map of digits with two numbers
======================================

With hidden layers, a code of two numbers is enough for a map on which equal digits lie together. The network is never
told the labels; they only give the colours.
"""

# %%
# Train a network 784 → 256 → 64 → 2 → 64 → 256 → 784.

import matplotlib.pyplot as plt
import numpy as np

import npae
from npae.datasets import load_digits

digits = load_digits()
model = npae.DeepAutoencoder(hidden=(256, 64), code_size=2, learning_rate=2e-3, epochs=30, random_state=0)
model.fit(digits.train_images)
codes = model.transform(digits.test_images)

# %%
# Each test digit at its code.

figure, ax = plt.subplots(figsize=(7, 5), layout="constrained")
points = ax.scatter(*codes.T, c=digits.test_labels, cmap="tab10", s=12)
figure.colorbar(points, ticks=range(10), label="digit")
ax.set(xlabel="code value 1", ylabel="code value 2")
plt.show()

# %%
# The decoder turns any point of the map into an image. Between groups, one digit changes into another.

low, high = np.percentile(codes, [5, 95], axis=0)
grid = [(x, y) for y in np.linspace(high[1], low[1], 10) for x in np.linspace(low[0], high[0], 10)]
images = model.inverse_transform(np.array(grid, dtype="float32"))
sheet = images.reshape(10, 10, 28, 28).swapaxes(1, 2).reshape(280, 280)
figure, ax = plt.subplots(figsize=(5, 5))
ax.imshow(sheet, cmap="gray_r")
ax.axis("off")
plt.show()
