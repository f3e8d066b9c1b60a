// One layer: W, dW, y and dy as heat maps; a unit and its formula; a weight and its gradient.

function layerPanel(lab) {
  const body = element("div");
  const state = { sample: 0 };
  const show = () => {
    const layer = lab.network.layers[lab.chosen];
    if (state.layer !== layer) Object.assign(state, { layer, ...mostTelling(lab, layer) });
    state.sample = Math.min(state.sample, lab.n - 1);
    body.replaceChildren(...layerParts(lab, layer, state, show));
  };
  lab.on(show);
  show();
  return panel("The layer", body);
}

// At first the weight with the largest gradient, and the unit that it leads to: of many a gradient is 0.
function mostTelling(lab, layer) {
  const [first] = parametersOf(layer);
  if (!first) return { unit: 0 };
  const [key, { start, shape }] = first;
  const columns = shape.at(-1);
  let best = 0;
  for (let i = 0; i < sizeOf(shape); i++) {
    if (Math.abs(lab.dtheta[start + i]) > Math.abs(lab.dtheta[start + best])) best = i;
  }
  const [row, column] = [Math.floor(best / columns), best % columns];
  return { key, row, column, unit: layer.type === "TiedDense" ? 0 : column };
}

// y or dy as a heat map: a row for each sample, or of images the chosen one, its channels side by side.
function unitMap(name, layer, values, lab, state, choose) {
  const size = sizeOf(layer.output);
  if (layer.output.length === 1) {
    const chosen = [state.sample, state.unit];
    return heatMap(`${name}, a row each sample`, values, lab.n, size, { onchoose: choose, chosen });
  }
  const [height, width, channels] = [...layer.output, 1];
  const own = values.subarray(state.sample * size, (state.sample + 1) * size);
  const unitAt = (r, c) => (r * width + (c % width)) * channels + Math.floor(c / width);
  const columns = width * channels;
  const laid = Float64Array.from({ length: size }, (_, i) => own[unitAt(Math.floor(i / columns), i % columns)]);
  const [cell, channel] = [Math.floor(state.unit / channels), state.unit % channels];
  return heatMap(`${name} of sample ${state.sample} of the batch, channels side by side`, laid, height, columns, {
    onchoose: (r, c) => choose(state.sample, unitAt(r, c)),
    chosen: [Math.floor(cell / width), channel * width + (cell % width)],
  });
}

function layerParts(lab, layer, state, show) {
  const step = lab.pass.steps[lab.chosen];
  const isForward = lab.isForward(lab.chosen);
  const isBackward = lab.isBackward(lab.chosen);
  const known = lab.chosen === lab.network.layers.length - 1 ? lab.hasLoss() : lab.isBackward(lab.chosen + 1);
  const chooseUnit = (s, unit) => {
    Object.assign(state, { sample: s, unit, column: layer.W ? unit % layer.W.shape.at(-1) : unit });
    show();
  };
  const title = element("p", {}, element("b", {}, layer.name), ` ${layer.type}, `
    + `${sizeText(layer.input)} → ${sizeText(layer.output)}. ${EQUATIONS[layer.type] || ""}`);
  const maps = [
    ...(isForward ? [unitMap("y", layer, step.y, lab, state, chooseUnit)] : []),
    ...(known ? [unitMap("dy", layer, step.dy, lab, state, chooseUnit)] : []),
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
  AppendLabel: "y is x followed by 1 at the place of its label and 0 elsewhere; dx is the first part of dy.",
  Flatten: "y is x in one row.",
  Reshape: "y is x in another shape.",
};

function weightMaps(lab, layer, state, show, isBackward) {
  return parametersOf(layer).filter(([, { shape }]) => shape.length > 1).flatMap(([key, { start, shape }]) => {
    const columns = shape.at(-1);
    const rows = sizeOf(shape) / columns;
    const choose = (r, c) => {
      Object.assign(state, { key, row: r, column: c });
      show();
    };
    const view = (values) => values.subarray(start, start + rows * columns);
    const options = { onchoose: choose, chosen: state.key === key ? [state.row, state.column] : null };
    return [heatMap(key, view(lab.theta), rows, columns, options),
      ...(isBackward ? [heatMap(`d${key}`, view(lab.dtheta), rows, columns, options)] : [])];
  });
}
