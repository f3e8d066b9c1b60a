"""
Finding similar images
======================

Images whose codes are close to each other look alike. So a search compares codes of 16 numbers instead of 784 pixels.
"""

# %%
# Train, encode 5,000 digits into an index, and look up the test digits.

import matplotlib.pyplot as plt

import npae
from npae.applications.retrieval import Index
from npae.datasets import load_digits

digits = load_digits()
model = npae.DeepAutoencoder(code_size=16, epochs=20, random_state=0).fit(digits.train_images)
index = Index.of(model, digits.train_images)
places, distances = index.search(model.transform(digits.test_images), k=10)

# %%
# How many of the ten nearest show the digit that was asked for?

right = digits.train_labels[places] == digits.test_labels[:, None]
print(f"right among the first: {right[:, 0].mean():.1%}, among the first ten: {right.mean():.1%}")

# %%
# Five queries on the left, and the images that were found, nearest first. A red frame: another digit.

figure, axes = plt.subplots(5, 9, figsize=(8, 4.6))
for query, line in enumerate(axes):
    line[0].imshow(digits.test_images[query], cmap="gray")
    for ax, place, ok in zip(line[1:], places[query], right[query], strict=False):
        ax.imshow(digits.train_images[place], cmap="gray_r")
        for spine in ax.spines.values():
            spine.set(visible=not ok, color="red", linewidth=2)
    for ax in line:
        ax.set(xticks=[], yticks=[])
plt.show()
