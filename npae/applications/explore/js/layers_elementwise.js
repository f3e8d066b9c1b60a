// Activations, and layers that only change the shape.

// From e^−|x|, so that the exponential cannot overflow.
function sigmoid(x) {
  const e = Math.exp(-Math.abs(x));
  return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

function elementwise(value, slope) {
  return {
    forward: (layer, x) => x.map((v) => value(v, layer)),
    backward: (layer, { x, y }, dy) => dy.map((g, i) => g * slope(x[i], y[i], layer)),
  };
}

KINDS.ReLU = elementwise((x) => Math.max(x, 0), (x) => (x > 0 ? 1 : 0));
KINDS.LeakyReLU = elementwise((x, { slope }) => (x > 0 ? x : slope * x), (x, y, { slope }) => (x > 0 ? 1 : slope));
KINDS.Sigmoid = elementwise(sigmoid, (x, y) => y * (1 - y));
KINDS.Tanh = elementwise(Math.tanh, (x, y) => 1 - y * y);
KINDS.Softplus = elementwise((x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), sigmoid);
KINDS.Flatten = { forward: (layer, x) => x, backward: (layer, step, dy) => dy };
KINDS.Reshape = KINDS.Flatten;
