// Mistakes of a variational code, of weight decay and of the losses.

// The code's gradients from g = dz and the KL term's weight k = β / N: returns [dμ, d log σ²] of one element.
function ofHeads(wrong) {
  return (layer, step, dz, n, theta, dtheta) => {
    const { mu, logVar, sigma, eps } = step.memo;
    const other = normalNumbers(eps.length, 0x5eed); // an ε that forward did not draw
    const pairs = Array.from(dz, (g, i) => {
      const k = layer.beta / n;
      const code = [g, 0.5 * g * eps[i] * sigma[i]];
      const kl = [k * mu[i], 0.5 * k * (sigma[i] ** 2 - 1)];
      return wrong({
        g, k, logVar: logVar[i], sigma: sigma[i], eps: eps[i], fresh: other[i], code, kl, n,
        size: layer.output[0], beta: layer.beta,
      });
    });
    const heads = [0, 1].map((h) => Float64Array.from(pairs, (pair) => pair[h]));
    return throughHeads(layer, step, ...heads, n, theta, dtheta);
  };
}

const withKl = (factor) => ofHeads((c) => {
  const f = factor(c);
  return [c.code[0] + f * c.kl[0], c.code[1] + f * c.kl[1]];
});
const withLogVar = (wrong) => ofHeads((c) => [c.code[0] + c.kl[0], wrong(c)]);

plant("reparameterization", ["Reparameterization"], {
  "no-half": withLogVar(({ code, kl }) => 2 * code[1] + kl[1]),
  "no-ε": withLogVar(({ g, sigma, kl }) => 0.5 * g * sigma + kl[1]),
  "fresh-ε": ofHeads(({ g, sigma, code, kl, fresh }) => [code[0] + kl[0], 0.5 * g * fresh * sigma + kl[1]]),
  variance: withLogVar(({ g, eps, logVar, kl }) => 0.5 * g * eps * Math.exp(logVar) + kl[1]),
  "μ-times-ε": ofHeads(({ g, eps, code, kl }) => [g * eps + kl[0], code[1] + kl[1]]),
  "KL-only": ofHeads(({ kl }) => kl),
  "KL-missing": ofHeads(({ code }) => code),
  "KL-sign": withKl(() => -1),
  "KL-no-half": withLogVar(({ code, kl }) => code[1] + 2 * kl[1]),
  "KL-no-one": withLogVar(({ code, k, logVar }) => code[1] + 0.5 * k * Math.exp(logVar)),
  "KL-latent-mean": withKl(({ size }) => 1 / size),
  "KL-batch-sum": withKl(({ n }) => n),
  "β-on-all": ofHeads(({ beta, code, kl }) => [beta * code[0] + kl[0], beta * code[1] + kl[1]]),
  "logσ-confusion": withLogVar(({ code, k, logVar }) => code[1] + k * (Math.exp(2 * logVar) - 1)),
  "heads-swapped": ofHeads(({ code, kl }) => [code[1] + kl[1], code[0] + kl[0]]),
});

// What weight decay adds to dW, beside the data's part: decay(data's part, λ W, n).
function plantInDecay(mistakes) {
  for (const [name, decay] of Object.entries(mistakes)) {
    MISTAKES[`weight-decay/${name}`] = { types: ["weight decay"], decay };
  }
}

plantInDecay({
  doubled: (g, price) => g + 2 * price,
  "over-N": (g, price, n) => g + price / n,
  overwrites: (g, price) => price,
});

function plantInLoss(kind, name, slopes) {
  for (const [mistake, slope] of Object.entries(slopes)) {
    MISTAKES[`${kind}/${mistake}`] = {
      types: [`loss ${name}`],
      loss: (loss, { y, target, n }) => y.map((v, i) => slope(v, target[i], n)),
    };
  }
}

plantInLoss("mse", "mse", {
  "no-two": (p, t, n) => (p - t) / n,
  sign: (p, t, n) => (2 * (t - p)) / n,
  "no-average": (p, t) => 2 * (p - t),
  MAE: (p, t, n) => Math.sign(p - t) / n,
});
plantInLoss("bce-on-logits", "bce", {
  "extra-σ′": (z, t, n) => ((sigmoid(z) - t) * sigmoid(z) * (1 - sigmoid(z))) / n,
  "no-sigmoid": (z, t, n) => (z - t) / n,
});
plantInLoss("bce", "bce_on_probabilities", {
  "fused-on-p": (p, t, n) => (p - t) / n,
  "positive-only": (p, t, n) => -t / p / n,
  "both-minus": (p, t, n) => (-t / p - (1 - t) / (1 - p)) / n,
});
