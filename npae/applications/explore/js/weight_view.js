// One weight: its gradient by backpropagation beside a finite difference, with a slider for the step h.

function weightView(lab, layer, state, show, isBackward) {
  const parameters = parametersOf(layer);
  const [key, { start, shape }] = parameters.find(([name]) => name === state.key) || parameters[0];
  const columns = shape.at(-1);
  const rows = sizeOf(shape) / columns;
  state.row = Math.min(state.row, rows - 1);
  state.column = Math.min(state.column || 0, columns - 1);
  const which = choice("Of", parameters.map(([name]) => [name, name]), key, (name) => {
    state.key = name;
    show();
  });
  const field = (name, size, part) => numberField(name, { min: 0, max: size - 1, value: state[part] }, (v) => {
    state[part] = v;
    show();
  }).node;
  const place = start + state.row * columns + state.column;
  const text = element("p", { class: "comparison", "aria-live": "polite" });
  const update = (exponent) => {
    state.exponent = exponent;
    text.replaceChildren(...weightText(lab, place, 10 ** exponent, isBackward));
  };
  const value = state.exponent ?? -5;
  const h = slider("h", { min: -10, max: 0, step: 0.25, value, format: (v) => `10^${v}` }, update);
  update(value);
  return element("div", {}, element("h3", {}, "A weight"),
    row(which.node, field("Row", rows, "row"), field("Column", columns, "column")), h.node, text);
}

const precise = (value) => value.toPrecision(8).replace("-", "−");

function weightText(lab, place, h, isBackward) {
  const { numeric, kinks } = centralDifference(lab.network, lab.now, [[place, 1]], h);
  const lines = [`weight ${shown(lab.theta[place])}`,
    `numeric: [L(w + h) − L(w − h)] / 2h = ${precise(numeric)}`];
  if (isBackward) {
    const analytic = lab.dtheta[place];
    const error = relativeError(analytic, numeric);
    lines.splice(1, 0, `analytic: dL/dw = ${precise(analytic)}`);
    lines.push(`relative error ${shown(error)}`);
  } else lines.splice(1, 0, "analytic: not known yet; step on to the backward pass");
  for (const { layer, count } of kinks) {
    const units = count === 1 ? "1 unit" : `${count} units`;
    lines.push(`⚠ a kink lies within h: the slope of ${units} of ${layer} changes`);
  }
  return lines.flatMap((line) => [line, element("br")]);
}
