"""
Clustering: groups without labels
=================================

k-means on the codes finds groups that correspond to digits better than k-means on pixels does.
"""

# %%
# Group the test digits by pixels and by codes. The adjusted Rand index compares groups with the true digits: 1 where
# they are the same, 0 where they agree by chance only.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import adjusted_rand_score

import npae
from npae.applications.clustering import cluster
from npae.datasets import load_digits

digits = load_digits()
test = digits.test_images
model = npae.VariationalAutoencoder(code_size=10, epochs=20, random_state=0).fit(digits.train_images)
features = {"pixels": test.reshape(-1, 784), "codes": model.transform(test)}
groups = {name: cluster(array, 10, seed=0) for name, array in features.items()}
for name, found in groups.items():
    print(f"{name:7} {adjusted_rand_score(digits.test_labels, found.groups):.3f}")

# %%
# A group in each row: the digits of the group of codes that are nearest to its centre.

found, codes = groups["codes"], features["codes"]
figure, axes = plt.subplots(10, 10, figsize=(7, 7))
for group, line in enumerate(axes):
    members = np.flatnonzero(found.groups == group)
    centre = codes[members].mean(axis=0)
    nearest = members[np.argsort(np.linalg.norm(codes[members] - centre, axis=1))]
    for ax in line:
        ax.axis("off")
    for ax, place in zip(line, nearest, strict=False):
        ax.imshow(test[place], cmap="gray_r")
plt.show()
