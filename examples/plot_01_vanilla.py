"""
Vanilla: one hidden layer
=========================

The smallest autoencoder: one layer from 784 pixels to a code of 32 numbers, and one layer back.
"""

# %%
# Train it. ``transform`` gives codes, ``inverse_transform`` turns codes into images.

import matplotlib.pyplot as plt

import npae
from npae.datasets import load_digits

digits = load_digits()
model = npae.VanillaAutoencoder(code_size=32, epochs=40, random_state=0)
model.fit(digits.train_images)
codes = model.transform(digits.test_images)
images = model.inverse_transform(codes)
print(model.network_.summary())

# %%
# The loss falls fast at first. It is in nats per image: the sum over 784 pixels.

figure, ax = plt.subplots(figsize=(6, 3), layout="constrained")
ax.plot(model.history_["loss"])
ax.set(xlabel="epoch", ylabel="cross-entropy, nats per image")
plt.show()

# %%
# Test digits above, reconstructions below. The strokes return, a little blurred.

figure, axes = plt.subplots(2, 8, figsize=(8, 2.2))
for i in range(8):
    axes[0, i].imshow(digits.test_images[i], cmap="gray_r")
    axes[1, i].imshow(images[i], cmap="gray_r")
for ax in axes.flat:
    ax.axis("off")
plt.show()

# %%
# What each unit of the code adds to the picture, for the first 16: red where it adds ink, blue where it removes some.

strokes = model.network_.decoder.layers[0].W.reshape(32, 28, 28)
figure, axes = plt.subplots(2, 8, figsize=(8, 2.2))
for ax, stroke in zip(axes.flat, strokes, strict=False):
    ax.imshow(stroke, cmap="RdBu_r", vmin=-abs(stroke).max(), vmax=abs(stroke).max())
    ax.axis("off")
plt.show()
