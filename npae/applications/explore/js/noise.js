// Noise on the chosen sample: noisy, restored, clean.

function noisePanel(app) {
  const state = { sigma: app.data.noise_level, seed: 1 };
  const captions = ["noisy", "restored", "clean"];
  const parts = captions.map((caption) => {
    const { node, draw } = picture(app, caption, "picture medium");
    return { draw, node: figure(node, caption) };
  });
  const note = element("p", { class: "note" });
  const meanSquare = (a, b) => a.reduce((sum, v, i) => sum + (v - b[i]) ** 2, 0) / a.length;
  const update = () => {
    const clean = app.sampleAt(app.state.sample);
    const eps = normalNumbers(clean.length, state.seed);
    const [low, high] = app.data.clip || [-Infinity, Infinity];
    const noisy = clean.map((v, i) => Math.min(Math.max(v + state.sigma * eps[i], low), high));
    const restored = app.network.decode(app.network.encode(noisy), app.conditionAt(app.state.sample));
    [noisy, restored, clean].forEach((v, i) => parts[i].draw(v));
    note.textContent = `Mean squared error against the clean sample: noisy ${shown(meanSquare(noisy, clean))}, `
      + `restored ${shown(meanSquare(restored, clean))}.`;
  };
  const sigma = slider("σ", { min: 0, max: 1, step: 0.01, value: state.sigma }, (v) => {
    state.sigma = v;
    update();
  });
  const again = button("draw anew", () => {
    state.seed += 1;
    update();
  });
  app.on("sample", update);
  app.on("theme", update);
  update();
  const about = element("p", { class: "note" }, app.data.noise_note);
  return panel("Noise on the chosen sample", about, sigma.node, row(again),
    row(...parts.map(({ node }) => node)), note);
}
