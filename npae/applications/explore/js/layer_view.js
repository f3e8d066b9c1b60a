// One layer: W, dW, y and dy as heat maps; a unit and its formula; a weight and its gradient.

function layerPanel(lab) {
  const body = element("div");
  const state = { unit: 0, row: 0, sample: 0, key: null };
  const show = () => {
    const layer = lab.network.layers[lab.chosen];
    if (state.layer !== layer) Object.assign(state, { layer, unit: 0, row: 0, key: null });
    state.sample = Math.min(state.sample, lab.n - 1);
    body.replaceChildren(...layerParts(lab, layer, state, show));
  };
  lab.on(show);
  show();
  return panel("The layer", body);
}

function layerParts(lab, layer, state, show) {
  const step = lab.pass.steps[lab.chosen];
  const isForward = lab.isForward(lab.chosen);
  const isBackward = lab.isBackward(lab.chosen);
  const known = lab.chosen === lab.network.layers.length - 1 ? lab.hasLoss() : lab.isBackward(lab.chosen + 1);
  const size = sizeOf(layer.output);
  const chooseUnit = (s, unit) => {
    Object.assign(state, { sample: s, unit, column: layer.W ? unit % layer.W.shape.at(-1) : unit });
    show();
  };
  const title = element("p", {}, element("b", {}, layer.name), ` ${layer.type}, `
    + `${sizeText(layer.input)} → ${sizeText(layer.output)}. ${EQUATIONS[layer.type] || ""}`);
  const maps = [
    ...(isForward ? [heatMap("y, a row each sample", step.y, lab.n, size, chooseUnit)] : []),
    ...(known ? [heatMap("dy", step.dy, lab.n, size, chooseUnit)] : []),
    ...weightMaps(lab, layer, state, show, isBackward),
  ];
  const waiting = isForward ? [] : [element("p", { class: "note" }, "This layer is not computed yet: step.")];
  const parts = [title, ...waiting, element("div", { class: "heatmaps" }, ...maps)];
  if (isForward) parts.push(unitView(lab, layer, step, state, show, known));
  if (isForward && parametersOf(layer).length) parts.push(weightView(lab, layer, state, show, isBackward));
  return parts;
}

const EQUATIONS = {
  Dense: "y = x W + b; dW = xᵀ dy, db = Σ dy, dx = dy Wᵀ.",
  TiedDense: "y = x Wᵀ + c; dx = dy W.",
  ReLU: "y = max(x, 0); dx = dy where x > 0.",
  LeakyReLU: "y = x where x > 0, else slope · x.",
  Sigmoid: "y = σ(x); dx = y (1 − y) dy.",
  Tanh: "y = tanh x; dx = (1 − y²) dy.",
  Softplus: "y = log(1 + eˣ); dx = σ(x) dy.",
  Conv2D: "y[i, j] = Σ x[i·s + k, j·s + m] W[k, m] + b.",
  MaxPool2D: "y is the maximum of each window; dy goes to the cell of the maximum.",
  AveragePool2D: "y is the mean of each window; dy is shared equally.",
  UpSample2D: "y repeats or interpolates x; dx sums dy over what each value became.",
  Reparameterization: "z = μ + σ ε; dμ = dz + β μ / N, d log σ² = dz ½ σ ε + β ½ (σ² − 1) / N.",
  ActivityL1: "y = x, with λ Σ |x| in the loss.",
  Flatten: "y is x in one row.",
  Reshape: "y is x in another shape.",
};

function parametersOf(layer) {
  if (layer.mu) return [["mu.W", layer.mu.W], ["mu.b", layer.mu.b], ["log_var.W", layer.log_var.W], ["log_var.b", layer.log_var.b]];
  return ["W", "b", "c"].filter((key) => layer[key]).map((key) => [key, layer[key]]);
}

function weightMaps(lab, layer, state, show, isBackward) {
  return parametersOf(layer).filter(([, { shape }]) => shape.length > 1).flatMap(([key, { start, shape }]) => {
    const columns = shape.at(-1);
    const rows = sizeOf(shape) / columns;
    const choose = (r, c) => {
      Object.assign(state, { key, row: r, column: c });
      show();
    };
    const view = (values) => values.subarray(start, start + rows * columns);
    return [heatMap(key, view(lab.theta), rows, columns, choose),
      ...(isBackward ? [heatMap(`d${key}`, view(lab.dtheta), rows, columns, choose)] : [])];
  });
}
