"""
Learning from few labels
========================

Images are many, labels are few. An autoencoder learns codes from all images, and a classifier learns from the codes of
those that have a label.
"""

# %%
# A pipeline of scikit-learn: the classifier sees codes, PCA or pixels, of 50 to 1,000 labelled digits.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

import npae
from npae.datasets import load_digits

digits = load_digits()
train, test = digits.train_images.reshape(-1, 784), digits.test_images.reshape(-1, 784)
features = {
    "autoencoder": npae.DenoisingAutoencoder(code_size=32, noise_level=0.3, epochs=20, random_state=0),
    "PCA": PCA(32, random_state=0),
    "pixels": FunctionTransformer(),
}
numbers = (50, 100, 200, 500, 1000)
scores = {}
for name, transformer in features.items():
    transformer.fit(train)  # all images, no labels
    scaler = StandardScaler().fit(transformer.transform(train))
    train_codes, test_codes = (scaler.transform(transformer.transform(X)) for X in (train, test))
    scores[name] = [
        np.mean(
            [
                SVC().fit(train_codes[i : i + n], digits.train_labels[i : i + n]).score(test_codes, digits.test_labels)
                for i in (0, 1000, 2000)  # three different sets of labelled digits
            ]
        )
        for n in numbers
    ]
    print(f"{name:12}", " ".join(f"{score:.1%}" for score in scores[name]))

# %%
# Share of the test digits that are recognised, by the number of labels.

figure, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
for name, values in scores.items():
    ax.plot(numbers, values, marker="o", label=name)
ax.set(xlabel="labelled digits", ylabel="recognised", xscale="log", xticks=numbers, xticklabels=numbers)
ax.minorticks_off()
ax.legend()
plt.show()
