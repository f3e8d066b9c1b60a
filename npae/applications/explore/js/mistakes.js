// Mistakes that can be planted into the backward pass. Names, formulas and hints are those of npae's library of known
// mistakes; here stands what each computes, with the layer's own backward pass as the starting point.

const MISTAKES = {};

// A mistake in what a layer's right backward pass has computed: change(result, layer, step, dy, n), where result has dx
// and the layer's own part of dtheta.
function altered(change) {
  return (layer, step, dy, n, theta, dtheta) => {
    const own = new Float64Array(theta.length);
    const result = { dx: KINDS[layer.type].backward(layer, step, dy, n, theta, own), dtheta: own };
    change(result, layer, step, dy, n);
    own.forEach((g, i) => (dtheta[i] += g));
    return result.dx;
  };
}

const part = (dtheta, { start, shape }) => dtheta.subarray(start, start + sizeOf(shape));
const scaled = (values, factor) => values.forEach((v, i) => (values[i] = factor * v));

function plant(kind, types, mistakes) {
  for (const [name, backward] of Object.entries(mistakes)) MISTAKES[`${kind}/${name}`] = { types, backward };
}

// dW of one sample alone
function ofOneSample(chosen) {
  return altered(({ dtheta }, { input, output, W }, { x }, dy, n) => {
    const s = chosen(n);
    part(dtheta, W).fill(0);
    const [xs, gs] = [[x, input[0]], [dy, output[0]]].map(([a, size]) => a.subarray(s * size, (s + 1) * size));
    addOuterProducts(xs, gs, 1, input[0], output[0], dtheta, W.start);
  });
}

plant("dense", ["Dense"], {
  "double-average": altered(({ dtheta }, { W }, step, dy, n) => scaled(part(dtheta, W), 1 / n)),
  "db-mean": altered(({ dtheta }, { b }, step, dy, n) => scaled(part(dtheta, b), 1 / n)),
  "db-scalar": altered(({ dtheta }, { b }) => part(dtheta, b).fill(part(dtheta, b).reduce((p, q) => p + q, 0))),
  "last-sample": ofOneSample((n) => n - 1),
  "return-in-loop": ofOneSample(() => 0),
  "drops-upstream": (layer, step, dy, n, theta, dtheta) =>
    KINDS.Dense.backward(layer, step, dy.map(() => 1), n, theta, dtheta),
});

plant("tied", ["TiedDense"], {
  "encoder-only": altered(({ dtheta }, { W }) => part(dtheta, W).fill(0)),
});
plant("tied", ["tied Dense"], {
  "decoder-only": altered(({ dtheta }, { W }) => part(dtheta, W).fill(0)),
});

const ofElements = (slope) => (layer, { x, y }, dy) => dy.map((g, i) => slope(g, x[i], y[i]));

plant("relu", ["ReLU"], {
  "no-mask": ofElements((g) => g),
  "mask-on-g": ofElements((g) => Math.max(g, 0)),
  guided: ofElements((g, x) => (x > 0 ? Math.max(g, 0) : 0)),
  "times-output": ofElements((g, x, y) => g * y),
  "no-upstream": ofElements((g, x) => (x > 0 ? 1 : 0)),
});
plant("sigmoid", ["Sigmoid"], {
  "at-x": ofElements((g, x) => g * x * (1 - x)),
  "double-sigmoid": ofElements((g, x, y) => g * sigmoid(y) * (1 - sigmoid(y))),
  "no-upstream": ofElements((g, x, y) => y * (1 - y)),
});
plant("tanh", ["Tanh"], {
  "tanh-unsquared": ofElements((g, x, y) => g * (1 - y)),
  "tanh-as-sigmoid": ofElements((g, x, y) => g * y * (1 - y)),
});

function reversedKernel({ W: { start }, kernel, input, output }, values) {
  const result = values.slice();
  const [cells, size] = [kernel[0] * kernel[1], input[2] * output[2]];
  for (let k = 0; k < cells; k++) {
    result.set(values.subarray(start + k * size, start + (k + 1) * size), start + (cells - 1 - k) * size);
  }
  return result;
}

plant("convolution", ["Conv2D"], {
  "dX-unflipped": (layer, step, dy, n, theta, dtheta) => {
    KINDS.Conv2D.backward(layer, step, dy, n, theta, dtheta);
    const reversed = reversedKernel(layer, theta);
    return KINDS.Conv2D.backward(layer, step, dy, n, reversed, new Float64Array(theta.length));
  },
  "dW-flipped": altered(({ dtheta }, layer) => dtheta.set(reversedKernel(layer, dtheta))),
  "dW-per-position": altered(({ dtheta }, { W, output }) =>
    scaled(part(dtheta, W), 1 / (output[0] * output[1]))),
  "db-scalar": MISTAKES["dense/db-scalar"].backward,
});

// dx of pooling where the part share({isWinner, isFirst, cells, value, side}) of dy goes to each cell of a window.
function sharedOut(share) {
  return (layer, { x, memo }, dy, n) => {
    const { input, output } = layer;
    const channels = input[2];
    const dx = new Float64Array(x.length);
    for (let s = 0; s < n; s++) {
      eachPoolingWindow(layer, (place, top, bottom, left, right) => {
        for (let c = 0; c < channels; c++) {
          const at = s * sizeOf(output) + place * channels + c;
          for (let r = top; r < bottom; r++) {
            for (let q = left; q < right; q++) {
              const cell = s * sizeOf(input) + (r * input[1] + q) * channels + c;
              const isWinner = memo.winner ? memo.winner[at] === cell : false;
              dx[cell] += dy[at] * share({
                isWinner, isFirst: r === top && q === left, cells: (bottom - top) * (right - left), value: x[cell],
                side: layer.kernel[0],
              });
            }
          }
        }
      });
    }
    return dx;
  };
}

plant("max-pool", ["MaxPool2D"], {
  all: sharedOut(() => 1),
  value: sharedOut(({ isWinner, value }) => (isWinner ? value : 0)),
  "first-cell": sharedOut(({ isFirst }) => (isFirst ? 1 : 0)),
  average: sharedOut(({ cells }) => 1 / cells),
});
plant("average-pool", ["AveragePool2D"], {
  undivided: sharedOut(() => 1),
  "one-k": sharedOut(({ side }) => 1 / side),
  "top-left": sharedOut(({ isFirst, cells }) => (isFirst ? 1 / cells : 0)),
});
plant("nearest-upsampling", ["nearest UpSample2D"], {
  "block-mean": altered(({ dx }, { factor }) => scaled(dx, 1 / (factor[0] * factor[1]))),
  "stride-pick": (layer, step, dy) => {
    const { input, output, factor } = layer;
    return step.x.map((_, i) => {
      const [s, cell] = [Math.floor(i / sizeOf(input)), i % sizeOf(input)];
      const [pixel, c] = [Math.floor(cell / input[2]), cell % input[2]];
      const [r, q] = [Math.floor(pixel / input[1]), pixel % input[1]];
      return dy[s * sizeOf(output) + (r * factor[0] * output[1] + q * factor[1]) * output[2] + c];
    });
  },
});
plant("bilinear-upsampling", ["bilinear UpSample2D"], {
  "bilinear-as-nearest": (layer, step, dy, n) =>
    KINDS.UpSample2D.backward({ ...layer, mode: "nearest" }, step, dy, n),
});

// The code's gradients from g = dz and the KL term's weight k = β / N: returns [dμ, d log σ²] of one element.
function ofHeads(wrong) {
  return (layer, step, dz, n, theta, dtheta) => {
    const { mu, logVar, sigma, eps } = step.memo;
    const pairs = Array.from(dz, (g, i) => {
      const k = layer.beta / n;
      const code = [g, 0.5 * g * eps[i] * sigma[i]];
      const kl = [k * mu[i], 0.5 * k * (sigma[i] ** 2 - 1)];
      return wrong({ g, k, logVar: logVar[i], sigma: sigma[i], eps: eps[i], code, kl, n, size: layer.output[0] });
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
  variance: withLogVar(({ g, eps, logVar, kl }) => 0.5 * g * eps * Math.exp(logVar) + kl[1]),
  "μ-times-ε": ofHeads(({ g, eps, code, kl }) => [g * eps + kl[0], code[1] + kl[1]]),
  "KL-only": ofHeads(({ kl }) => kl),
  "KL-missing": ofHeads(({ code }) => code),
  "KL-sign": withKl(() => -1),
  "KL-no-half": withLogVar(({ code, kl }) => code[1] + 2 * kl[1]),
  "KL-no-one": withLogVar(({ code, k, logVar }) => code[1] + 0.5 * k * Math.exp(logVar)),
  "KL-latent-mean": withKl(({ size }) => 1 / size),
  "KL-batch-sum": withKl(({ n }) => n),
  "logσ-confusion": withLogVar(({ code, k, logVar }) => code[1] + k * (Math.exp(2 * logVar) - 1)),
  "heads-swapped": ofHeads(({ code, kl }) => [code[1] + kl[1], code[0] + kl[0]]),
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
