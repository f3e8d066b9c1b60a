"""
Variational: codes without holes
================================

Each digit is encoded as a cloud, and all clouds together look like N(0, 1). So every point near the origin decodes to
something like a digit.
"""

# %%
# Train it with a code of two numbers, to be able to see the whole of it.

import matplotlib.pyplot as plt
import numpy as np

import npae
from npae.datasets import load_digits

digits = load_digits()
model = npae.VariationalAutoencoder(code_size=2, epochs=20, random_state=0)
model.fit(digits.train_images)

# %%
# The loss has two parts. The KL term, the price of the clouds' places, rises while the code learns to say something.

figure, axes = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
for ax, term in zip(axes, ("reconstruction", "kl"), strict=True):
    ax.plot(model.history_[term])
    ax.set(xlabel="epoch", ylabel=f"{term}, nats per image")
plt.show()

# %%
# The plane of codes from −2 to 2, decoded.

values = np.linspace(-2, 2, 14)
grid = np.array([(x, y) for y in values[::-1] for x in values], dtype="float32")
images = model.inverse_transform(grid)
figure, ax = plt.subplots(figsize=(6, 6))
ax.imshow(images.reshape(14, 14, 28, 28).swapaxes(1, 2).reshape(392, 392), cmap="gray_r", extent=(-2, 2, -2, 2))
ax.set(xlabel="code value 1", ylabel="code value 2")
plt.show()

# %%
# A circle around the origin: digits change into one another and come back to where they began.

angles = np.linspace(0, 2 * np.pi, 10)
circle = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype("float32")
figure, axes = plt.subplots(1, 10, figsize=(8, 1))
for ax, image in zip(axes, model.inverse_transform(circle), strict=True):
    ax.imshow(image, cmap="gray_r")
    ax.axis("off")
plt.show()
