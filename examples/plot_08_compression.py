"""
Image compression
=================

A code of 16 numbers, each rounded to a few bits, is a file format for digits. The decoder has to be there already, so
it pays only for many images of one kind.
"""

# %%
# Compress the 1,000 test digits to different sizes, and measure the quality as the peak signal-to-noise ratio (PSNR):
# higher is better.

import matplotlib.pyplot as plt

import npae
from npae.applications.compression import compress, decompress, psnr
from npae.datasets import load_digits

digits = load_digits()
test = digits.test_images
model = npae.DeepAutoencoder(code_size=16, epochs=30, random_state=0).fit(digits.train_images)
files = {bits: compress(model, test, bits=bits) for bits in (2, 3, 4, 5, 6, 8)}
images = {bits: decompress(model, content) for bits, content in files.items()}
for bits, content in files.items():
    print(f"{bits} bits: {len(content) / len(test):5.1f} bytes per digit, PSNR {psnr(images[bits], test):.2f} dB")
print(f"raw:   {test[0].size} bytes per digit, one for each pixel")

# %%
# From 5 bits on, more of them change nothing: the rest of the error is the network's, not that of the rounding.

figure, ax = plt.subplots(figsize=(6, 3), layout="constrained")
ax.plot([len(files[bits]) / len(test) for bits in files], [psnr(images[bits], test) for bits in files], marker="o")
ax.set(xlabel="bytes per digit", ylabel="PSNR, dB")
plt.show()

# %%
# The test digits, then with 2, 4 and 8 bits.

figure, axes = plt.subplots(4, 10, figsize=(8, 3.4))
for line, row in zip(axes, (test, images[2], images[4], images[8]), strict=True):
    for ax, image in zip(line, row, strict=False):
        ax.imshow(image, cmap="gray_r", vmin=0, vmax=1)
        ax.axis("off")
plt.show()
