"""
Vanilla: one hidden layer
=========================

The smallest autoencoder squeezes 784 pixels through a code of 32 numbers, and learns to get the picture back.
"""

# %%
# Train it. ``transform`` gives codes, ``inverse_transform`` turns codes into images.

import matplotlib.pyplot as plt

import npae
from npae.datasets import load_digits

digits = load_digits()
model = npae.VanillaAutoencoder(code_size=32, epochs=15, random_state=0).fit(digits.train_images)
codes = model.transform(digits.test_images)
reconstructions = model.inverse_transform(codes)
print("codes:", codes.shape)

# %%
# Training stops where the loss no longer falls by much.

plt.figure(figsize=(6, 3))
plt.plot(model.history_["loss"], label="training")
plt.xlabel("epoch")
plt.ylabel("cross-entropy, nats per image")
plt.legend()
plt.show()

# %%
# Test digits above, reconstructions below: the strokes return, a little blurred.

figure, axes = plt.subplots(2, 8, figsize=(8, 2.2))
for i in range(8):
    axes[0, i].imshow(digits.test_images[i], cmap="gray_r")
    axes[1, i].imshow(reconstructions[i], cmap="gray_r")
for ax in axes.flat:
    ax.axis("off")
plt.show()

# %%
# Each unit of the code has its own stroke: what the decoder adds to the picture when the unit is on.

strokes = model.network_.decoder.layers[0].W.reshape(32, 28, 28)
figure, axes = plt.subplots(2, 8, figsize=(8, 2.2))
for ax, stroke in zip(axes.flat, strokes, strict=False):
    ax.imshow(stroke, cmap="RdBu_r", vmin=-abs(stroke).max(), vmax=abs(stroke).max())
    ax.axis("off")
plt.show()
