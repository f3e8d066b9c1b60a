"""
Finding what does not belong
============================

A network that was trained on good samples reconstructs others badly. A large error is an alarm.
"""

# %%
# Train on all digits but the twos, which play the part of faults. The threshold is set by good digits that the network
# has not seen, so that about one new one in fifty raises a false alarm.

import matplotlib.pyplot as plt
import numpy as np

import npae
from npae.applications.anomaly import auroc
from npae.applications.detector import Detector
from npae.datasets import load_digits

digits = load_digits()
good, faulty = (digits.train_images[digits.train_labels != 2], digits.test_images[digits.test_labels == 2])
new = digits.test_images[digits.test_labels != 2]
model = npae.DeepAutoencoder(code_size=8, epochs=20, random_state=0).fit(good[:3500])
detector = Detector(model, good[3500:], false_positive_rate=0.02)

# %%
# Good digits, twos, and digits with a scratch of two rows.

scratched = new.copy()
scratched[:, 13:15] = 1
kinds = {"good": new, "twos": faulty, "scratched": scratched}
scores = {name: detector.score(images) for name, images in kinds.items()}
for name, values in scores.items():
    alarms = np.mean(values > detector.threshold)
    print(f"{name:10} alarm for {alarms:5.1%}, area under the ROC curve {auroc(scores['good'], values):.3f}")

# %%
# The scores. Scratches are found. Twos are made of strokes that other digits have too: most have larger scores than
# good digits, and not all are beyond the threshold.

figure, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
for name, values in scores.items():
    ax.hist(values, bins=40, range=(0, 0.12), density=True, alpha=0.5, label=name)
ax.axvline(detector.threshold, color="black", linestyle="--", label="threshold")
ax.set(xlabel="reconstruction error", ylabel="density")
ax.legend()
plt.show()

# %%
# The twos with the largest scores, and what the network made of them.

worst = faulty[np.argsort(-scores["twos"])[:8]]
figure, axes = plt.subplots(2, 8, figsize=(8, 2.2))
for line, images in zip(axes, (worst, model.inverse_transform(model.transform(worst))), strict=True):
    for ax, image in zip(line, images, strict=True):
        ax.imshow(image, cmap="gray_r", vmin=0, vmax=1)
        ax.axis("off")
plt.show()
