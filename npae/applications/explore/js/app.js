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
    state: {
      view: "explorer", sample: 0, axes: null, z: codes.slice(0, network.codeSize), base: 0,
      label: data.condition ? data.condition.labels[0] : null, // that a conditional network decodes the code with
    },
    on: (event, act) => (listeners[event] ||= []).push(act),
    emit: (event, detail) => (listeners[event] || []).forEach((act) => act(detail)),
    sampleAt: (i) => samples.subarray(i * app.size, (i + 1) * app.size),
    codeAt: (i) => codes.subarray(i * app.codeSize, (i + 1) * app.codeSize),
    // The label of a sample as a conditional network knows it, in a list as decode and forward take it; null of others.
    conditionAt: (i) => (data.condition ? [data.condition.labels[i]] : null),
    decode: (z = app.state.z) => network.decode(z, data.condition && [app.state.label]),
    labelOf: (i) => (data.labels ? inSentence(data.label_names[data.labels[i]]) : null),
    // Chooses a sample, and moves the code to its code.
    select(i) {
      app.state.sample = app.state.base = i;
      if (data.condition) app.state.label = data.condition.labels[i];
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

const MOST_OF_NAME = 40; // characters
const FROM_THE_RIGHT = /[\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufefc]/;

// A name from the data within a sentence: cut where it is long, and kept from turning the rest of the sentence around.
function inSentence(name) {
  const characters = Array.from(name);
  const text = characters.length > MOST_OF_NAME ? `${characters.slice(0, MOST_OF_NAME).join("")}…` : name;
  return FROM_THE_RIGHT.test(text) ? `\u2068${text}\u2069` : text;
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
