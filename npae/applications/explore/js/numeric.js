// Gradients by finite differences, in float64, and the kinks that lie within the step.

// [L(θ + h v) − L(θ − h v)] / 2h for a direction v: pairs [place in θ, component].
function centralDifference(network, { x, target, eps, labels, theta }, direction, h) {
  const passes = [1, -1].map((sign) => {
    const moved = theta.slice();
    for (const [place, component] of direction) moved[place] += sign * h * component;
    const pass = network.forward(x, { target, eps, labels, theta: moved });
    return { pass, loss: network.total(pass, moved) };
  });
  return {
    numeric: (passes[0].loss - passes[1].loss) / (2 * h),
    kinks: kinksBetween(passes[0].pass, passes[1].pass),
  };
}

// The layers whose slope jumps between two passes, with the number of units at which it does.
function kinksBetween(a, b) {
  const found = [];
  a.steps.forEach(({ layer, x, memo }, k) => {
    const other = b.steps[k];
    let count = 0;
    if (["ReLU", "LeakyReLU"].includes(layer.type)) x.forEach((v, i) => (count += v > 0 !== other.x[i] > 0));
    if (layer.type === "ActivityL1") x.forEach((v, i) => (count += Math.sign(v) !== Math.sign(other.x[i])));
    if (memo.winner) memo.winner.forEach((w, i) => (count += w !== other.memo.winner[i]));
    if (count) found.push({ layer: layer.name, count });
  });
  return found;
}

const relativeError = (a, b) => (a === b ? 0 : Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b)));

// The parameters of a layer: [[name, {start, shape}], ...].
function parametersOf(layer) {
  const heads = layer.mu ? ["mu", "log_var"].flatMap((head) =>
    ["W", "b"].map((key) => [`${head}.${key}`, layer[head][key]])) : [];
  return [...["W", "b", "c"].filter((key) => layer[key]).map((key) => [key, layer[key]]), ...heads];
}

// The parameters of the network, those that are tied once: [{name, start, shape}].
function blocksOf(network) {
  return network.layers.flatMap((layer) => parametersOf(layer)
    .filter(([key]) => layer.type !== "TiedDense" || key !== "W")
    .map(([key, { start, shape }]) => ({ name: `${layer.name}.${key}`, start, shape })));
}

const STEP = 1e-6;
const TOLERANCE = 1e-5;

// One comparison for all entries of a block: along a random direction of +1 and −1, ⟨dW, v⟩ beside the difference.
// A wrong gradient differs along almost every direction. Where a kink lies within the step another one is tried.
function checkBlock(network, batch, dtheta, { name, start, shape }) {
  const size = sizeOf(shape);
  const gradient = dtheta.subarray(start, start + size);
  const norm = Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0));
  let result = null;
  for (let attempt = 0; attempt < 8; attempt++) {
    const uniform = randomNumbers(97 * start + attempt);
    const direction = Array.from({ length: size }, (_, i) => [start + i, uniform() < 0.5 ? -1 : 1]);
    const analytic = direction.reduce((sum, [place, v]) => sum + v * dtheta[place], 0);
    const { numeric, kinks } = centralDifference(network, batch, direction, STEP / 4 ** attempt);
    const scale = Math.max(norm, Math.abs(numeric));
    const error = scale ? Math.abs(analytic - numeric) / scale : 0;
    result = { name, analytic, numeric, error, kinks, isRight: error < TOLERANCE };
    if (!kinks.length) break;
  }
  return result;
}
