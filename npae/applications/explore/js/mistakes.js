// Mistakes that can be planted into the backward pass. Names, formulas and hints are those of npae's library of known
// mistakes; here stands what each computes, with the layer's own backward pass as the starting point.

const MISTAKES = {};

// A mistake in what a layer's right backward pass has computed: change(result, layer, step, dy, n, theta), where result
// has dx and the layer's own part of dtheta.
function altered(change) {
  return (layer, step, dy, n, theta, dtheta) => {
    const own = new Float64Array(theta.length);
    const result = { dx: KINDS[layer.type].backward(layer, step, dy, n, theta, own), dtheta: own };
    change(result, layer, step, dy, n, theta);
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
  "no-transpose": altered(({ dx }, { W, input, output }, step, dy, n, theta) => {
    dx.fill(0);
    addProduct(dy, theta, W.start, n, output[0], input[0], dx);
  }),
  "dW-transposed": altered(({ dtheta }, { W, input, output }, { x }, dy, n) => {
    part(dtheta, W).fill(0);
    addOuterProducts(dy, x, n, output[0], input[0], dtheta, W.start);
  }),
  "double-average": altered(({ dtheta }, { W }, step, dy, n) => scaled(part(dtheta, W), 1 / n)),
  "db-mean": altered(({ dtheta }, { b }, step, dy, n) => scaled(part(dtheta, b), 1 / n)),
  "db-scalar": altered(({ dtheta }, { b }) => part(dtheta, b).fill(part(dtheta, b).reduce((p, q) => p + q, 0))),
  "last-sample": ofOneSample((n) => n - 1),
  "return-in-loop": ofOneSample(() => 0),
  "return-in-loop-db": altered(({ dtheta }, { b }, step, dy) => part(dtheta, b).forEach((_, j, db) => (db[j] = dy[j]))),
  // dx by the weights after a step of the rate 0.1
  "updated-W": altered(({ dx, dtheta }, { W, input, output }, step, dy, n, theta) => {
    const updated = part(theta, W).map((w, i) => w - 0.1 * dtheta[W.start + i]);
    dx.fill(0);
    addTransposedProduct(dy, updated, 0, n, input[0], output[0], dx);
  }),
  "drops-upstream": (layer, step, dy, n, theta, dtheta) =>
    KINDS.Dense.backward(layer, step, dy.map(() => 1), n, theta, dtheta),
});

plant("tied", ["TiedDense"], {
  "encoder-only": altered(({ dtheta }, { W }) => part(dtheta, W).fill(0)),
  untransposed: altered(({ dtheta }, { W, input, output }, { x }, dy, n) => {
    part(dtheta, W).fill(0);
    addOuterProducts(x, dy, n, input[0], output[0], dtheta, W.start);
  }),
});
plant("tied", ["tied Dense"], {
  "decoder-only": altered(({ dtheta }, { W }) => part(dtheta, W).fill(0)),
  averaged: (layer, step, dy, n, theta, dtheta) => {
    const dx = KINDS.Dense.backward(layer, step, dy, n, theta, dtheta);
    scaled(part(dtheta, layer.W), 1 / 2);
    return dx;
  },
});

const ofElements = (slope) => (layer, { x, y }, dy) => dy.map((g, i) => slope(g, x[i], y[i], layer));

plant("relu", ["ReLU"], {
  "no-mask": ofElements((g) => g),
  "mask-on-g": ofElements((g) => Math.max(g, 0)),
  guided: ofElements((g, x) => (x > 0 ? Math.max(g, 0) : 0)),
  "times-output": ofElements((g, x, y) => g * y),
  "no-upstream": ofElements((g, x) => (x > 0 ? 1 : 0)),
});
plant("leaky-relu", ["LeakyReLU"], {
  "no-leak": ofElements((g, x) => (x > 0 ? g : 0)),
  "mask-on-g": ofElements((g, x, y, { slope }) => (g > 0 ? g : slope * g)),
});
plant("sigmoid", ["Sigmoid"], {
  sign: ofElements((g, x, y) => -g * y * (1 - y)),
  "at-x": ofElements((g, x) => g * x * (1 - x)),
  "double-sigmoid": ofElements((g, x, y) => g * sigmoid(y) * (1 - sigmoid(y))),
  "no-upstream": ofElements((g, x, y) => y * (1 - y)),
});
plant("tanh", ["Tanh"], {
  "tanh-unsquared": ofElements((g, x, y) => g * (1 - y)),
  "tanh-as-sigmoid": ofElements((g, x, y) => g * y * (1 - y)),
});

// An activation after a dense layer, where both are one function: du = dy φ′(u) is what it sends back.
plant("activated-dense", ["Sigmoid after Dense", "Tanh after Dense"], { "no-slope": ofElements((g) => g) });
plant("activated-dense", ["Tanh after Dense"], {
  "slope-of-value": ofElements((g, x, y) => g * (1 - Math.tanh(y) ** 2)),
});
