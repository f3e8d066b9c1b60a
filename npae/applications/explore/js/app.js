// What the page shows: the chosen sample and the code; parts of the page are told when they change.

function makeApp(data, network) {
  const listeners = {};
  const samples = numbersOf(data.samples);
  const codes = numbersOf(data.codes);
  const { n } = data;
  const app = {
    data, network, samples, codes, n,
    losses: numbersOf(data.losses),
    logVar: data.log_var && numbersOf(data.log_var),
    size: network.inputSize,
    codeSize: network.codeSize,
    state: { view: "explorer", sample: 0, axes: null, z: codes.slice(0, network.codeSize), base: 0 },
    on: (event, act) => (listeners[event] ||= []).push(act),
    emit: (event, detail) => (listeners[event] || []).forEach((act) => act(detail)),
    sampleAt: (i) => samples.subarray(i * app.size, (i + 1) * app.size),
    codeAt: (i) => codes.subarray(i * app.codeSize, (i + 1) * app.codeSize),
    labelOf: (i) => (data.labels ? data.label_names[data.labels[i]] : null),
    // Chooses a sample, and moves the code to its code.
    select(i) {
      app.state.sample = app.state.base = i;
      app.emit("sample");
      app.setCode(app.codeAt(i));
    },
    // `base` is the sample whose code it began with, null where it is none's; `by` is the part that moved it.
    setCode(z, { base = app.state.base, by = null, final = true } = {}) {
      app.state.z = Float64Array.from(z);
      app.state.base = base;
      app.emit("code", { by, final });
    },
    describe(i) {
      const label = app.labelOf(i);
      return `sample ${i}${label === null ? "" : `, label ${label}`}, loss ${shown(app.losses[i])}`;
    },
  };
  return app;
}

// The k samples whose codes are nearest to z, without `except`.
function nearestSamples(app, z, k, except = -1) {
  const distances = [];
  for (let i = 0; i < app.n; i++) {
    if (i === except) continue;
    let sum = 0;
    for (let j = 0; j < app.codeSize; j++) sum += (app.codes[i * app.codeSize + j] - z[j]) ** 2;
    distances.push([sum, i]);
  }
  return distances.sort((a, b) => a[0] - b[0]).slice(0, k).map(([, i]) => i);
}
