"""
Denoising: a network that repairs its input
===========================================

It is given noisy digits and has to return the clean ones. The noise is drawn anew at each step, so it cannot be learned
by heart.
"""

# %%
# Train it with noise of a standard deviation of 0.5; pixels are between 0 and 1.

import matplotlib.pyplot as plt
import numpy as np

import npae
from npae.datasets import load_digits

digits = load_digits()
test = digits.test_images
model = npae.DenoisingAutoencoder(noise_level=0.5, code_size=64, epochs=30, random_state=0)
model.fit(digits.train_images)

# %%
# Three kinds of damage. Only the first is what the network was trained on.

rng = np.random.default_rng(0)
hidden = test.copy()
hidden[:, 10:14] = 0
damaged = {
    "Gaussian noise": np.clip(test + rng.normal(0, 0.5, test.shape), 0, 1).astype("float32"),
    "half of the pixels lost": (test * (rng.random(test.shape) > 0.5)).astype("float32"),
    "a bar of four rows": hidden,
}
repaired = {name: model.inverse_transform(model.transform(images)) for name, images in damaged.items()}
for name, images in damaged.items():
    before, after = (np.mean((some - test) ** 2) for some in (images, repaired[name]))
    print(f"{name:24} error {before:.4f} before, {after:.4f} after")

# %%
# Damaged digits and what became of them, in pairs of rows. A network repairs what it was trained to repair.

rows = [row for name in damaged for row in (damaged[name], repaired[name])]
figure, axes = plt.subplots(6, 10, figsize=(8, 5))
for images, line in zip(rows, axes, strict=True):
    for image, ax in zip(images, line, strict=False):
        ax.imshow(image, cmap="gray_r", vmin=0, vmax=1)
        ax.axis("off")
plt.show()
