// The microscope: a batch, its forward and backward pass one step at a time, and what each layer computes.

const MOST_BATCH = 8;

function makeLab(app) {
  const { network } = app;
  const lab = {
    app, network, n: Math.min(3, app.n), seed: 1, planted: null,
    chosen: Math.max(network.layers.findIndex((layer) => parametersOf(layer).length), 0),
    theta: network.theta.slice(), undo: [], listeners: [],
    // Steps: 0 nothing, 1 … k the layers forward, k + 1 the loss, then the layers backward.
    position: 2 * network.layers.length + 1,
  };
  lab.last = 2 * network.layers.length + 1;
  lab.batch = () => {
    const first = Math.min(app.state.sample, app.n - lab.n);
    const x = app.samples.slice(first * app.size, (first + lab.n) * app.size);
    const isVariational = network.layers.some(({ type }) => type === "Reparameterization");
    const eps = isVariational ? normalNumbers(lab.n * app.codeSize, lab.seed) : null;
    const labels = app.data.condition && app.data.condition.labels.slice(first, first + lab.n);
    return { first, x, target: x, theta: lab.theta, eps, labels };
  };
  lab.compute = () => {
    const batch = lab.batch();
    lab.pass = network.forward(batch.x, batch);
    lab.loss = network.total(lab.pass, lab.theta);
    const right = network.backward(lab.pass, { theta: lab.theta });
    lab.dtheta = lab.planted ? network.backward(lab.pass, { theta: lab.theta, planted: lab.planted }) : right;
    const most = largest(right);
    lab.isMistaken = lab.dtheta.some((g, i) => Math.abs(g - right[i]) > 1e-9 * most);
    lab.now = batch;
  };
  lab.update = () => {
    lab.compute();
    lab.emit();
  };
  lab.on = (act) => lab.listeners.push(act);
  lab.emit = () => lab.listeners.forEach((act) => act());
  lab.isForward = (i) => lab.position > i;
  lab.isBackward = (i) => lab.position >= lab.last - i;
  lab.hasLoss = () => lab.position > network.layers.length;
  lab.compute();
  return lab;
}

function makeMicroscope(app) {
  const lab = makeLab(app);
  app.on("sample", lab.update);
  const size = numberField("Samples in the batch", { min: 1, max: Math.min(MOST_BATCH, app.n), value: lab.n }, (n) => {
    lab.n = n;
    lab.update();
  });
  const chosen = numberField("from sample", { min: 0, max: app.n - 1, value: app.state.sample }, app.select);
  app.on("sample", () => (chosen.input.value = app.state.sample));
  return element("section", { id: "microscope", "aria-label": "Backpropagation microscope" },
    panel("From x to L and back", row(size.node, chosen.node, ...(lab.now.eps ? [epsButton(lab)] : [])),
      blocksRow(lab), stepsRow(lab),
      element("p", { class: "note" }, "L is the mean loss of the batch. Of each layer x is the input and y the output; "
        + "dx, dy and dW are the gradients of L by x, by y and by the weights W. Choose a layer to see its own.")),
    element("div", { class: "columns" }, layerPanel(lab), element("div", {}, mistakePanel(lab), updatePanel(lab))));
}

function epsButton(lab) {
  return button("draw ε anew", () => {
    lab.seed += 1;
    lab.update();
  });
}
