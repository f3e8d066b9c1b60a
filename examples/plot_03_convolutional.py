"""
Convolutional: windows that slide over the image
================================================

Convolutions use the same small weights at every place, so the network has far fewer parameters than a deep one.
"""

# %%
# Two convolutions with pooling, a code of 32, and the same back. 3,000 digits are enough here.

import matplotlib.pyplot as plt
import numpy as np

import npae
from npae.datasets import load_digits

digits = load_digits()
train, test = digits.train_images[:3000], digits.test_images
model = npae.ConvolutionalAutoencoder(filters=(8, 16), code_size=32, learning_rate=3e-3, epochs=12, random_state=0)
model.fit(train)
deep = npae.DeepAutoencoder(code_size=32, epochs=20, random_state=0).fit(train)
for name, trained in (("convolutional", model), ("deep", deep)):
    error = np.mean((trained.inverse_transform(trained.transform(test)) - test) ** 2)
    print(f"{name:13}  {trained.network_.theta.size:7,} parameters, mean squared error {error:.4f}")

# %%
# The eight windows of the first convolution, 3 × 3 pixels each: edges and spots.

kernels = model.network_.encoder.layers[1].W[:, :, 0].transpose(2, 0, 1)
figure, axes = plt.subplots(1, 8, figsize=(8, 1.3))
for ax, kernel in zip(axes, kernels, strict=True):
    ax.imshow(kernel, cmap="RdBu_r", vmin=-abs(kernels).max(), vmax=abs(kernels).max())
    ax.axis("off")
plt.show()

# %%
# Test digits, and their reconstructions.

images = model.inverse_transform(model.transform(test[:8]))
figure, axes = plt.subplots(2, 8, figsize=(8, 2.2))
for i in range(8):
    axes[0, i].imshow(test[i], cmap="gray_r")
    axes[1, i].imshow(images[i], cmap="gray_r")
for ax in axes.flat:
    ax.axis("off")
plt.show()
