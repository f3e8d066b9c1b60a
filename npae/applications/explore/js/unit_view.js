// One unit of a layer: its value, its gradient, and the formula of its value with the numbers put in.

const MOST_TERMS = 5;
const ACTIVATIONS = ["ReLU", "LeakyReLU", "Sigmoid", "Tanh", "Softplus"];

function unitView(lab, layer, step, state, show, isKnown) {
  const size = sizeOf(layer.output);
  const sample = numberField("Sample of the batch", { min: 0, max: lab.n - 1, value: state.sample }, (s) => {
    state.sample = s;
    show();
  });
  const unit = numberField("Unit", { min: 0, max: size - 1, value: state.unit }, (u) => {
    state.unit = u;
    show();
  });
  const at = state.sample * size + state.unit;
  const gradient = isKnown ? `; dy = ${shown(step.dy[at])}` : "; dy is not known yet";
  const before = ACTIVATIONS.includes(layer.type) ? `pre-activation x = ${shown(step.x[at])}; ` : "";
  return element("div", { class: "unit" }, element("h3", {}, "A unit"), row(sample.node, unit.node),
    element("p", {}, `${before}y = ${shown(step.y[at])}${gradient}`),
    element("p", { class: "formula" }, formulaOf(layer, step, state, lab.theta)));
}

// Σ as its largest terms: "0.31·0.12 + … (779 smaller terms: 0.04)".
function sumText(pairs) {
  const terms = pairs.map(([a, b]) => ({ a, b, product: a * b }))
    .sort((p, q) => Math.abs(q.product) - Math.abs(p.product));
  const rest = terms.slice(MOST_TERMS);
  const text = terms.slice(0, MOST_TERMS).map(({ a, b }) => `${shown(a)}·${bracketed(b)}`).join(" + ");
  const sum = rest.reduce((total, { product }) => total + product, 0);
  return rest.length ? `${text} + (${rest.length} smaller terms: ${shown(sum)})` : text || "0";
}

const bracketed = (value) => (value < 0 ? `(${shown(value)})` : shown(value));

function formulaOf(layer, { x, y, memo }, { sample, unit }, theta) {
  const [nIn, nOut] = [sizeOf(layer.input), sizeOf(layer.output)];
  const [xi, yi] = [x[sample * nIn + unit], y[sample * nOut + unit]];
  const own = x.subarray(sample * nIn, (sample + 1) * nIn);
  switch (layer.type) {
    case "Dense":
      return `y = ${sumText(Array.from(own, (v, i) => [v, theta[layer.W.start + i * nOut + unit]]))} + `
        + `b ${bracketed(theta[layer.b.start + unit])} = ${shown(yi)}`;
    case "TiedDense":
      return `y = ${sumText(Array.from(own, (v, i) => [v, theta[layer.W.start + unit * nIn + i]]))} + `
        + `c ${bracketed(theta[layer.c.start + unit])} = ${shown(yi)}`;
    case "Conv2D": return convolutionText(layer, own, unit, theta, yi);
    case "ReLU": return `y = max(${shown(xi)}, 0) = ${shown(yi)}`;
    case "LeakyReLU": return xi > 0 ? `y = x = ${shown(yi)}` : `y = ${layer.slope} · ${bracketed(xi)} = ${shown(yi)}`;
    case "Sigmoid": return `y = 1 / (1 + e^(${shown(-xi)})) = ${shown(yi)}`;
    case "Tanh": return `y = tanh(${shown(xi)}) = ${shown(yi)}`;
    case "Softplus": return `y = log(1 + e^(${shown(xi)})) = ${shown(yi)}`;
    case "Reparameterization": {
      const at = sample * nOut + unit;
      return `z = μ + σ ε = ${shown(memo.mu[at])} + ${shown(memo.sigma[at])}·${bracketed(memo.eps[at])} = ${shown(yi)}`;
    }
    default: return `y = ${shown(yi)}`;
  }
}

function convolutionText(layer, own, unit, theta, value) {
  const nOut = layer.output[2];
  const [place, f] = [Math.floor(unit / nOut) * nOut, unit % nOut];
  const pairs = [];
  eachWindowCell(layer, (cell, cellOfW, at) => {
    if (at !== place) return;
    for (let c = 0; c < layer.input[2]; c++) pairs.push([own[cell + c], theta[layer.W.start + cellOfW + c * nOut + f]]);
  });
  return `y = ${sumText(pairs)} + b ${bracketed(theta[layer.b.start + f])} = ${shown(value)}`;
}
