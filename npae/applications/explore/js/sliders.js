// One slider for each dimension of the code, in standard deviations, those of the largest variance first.

const SHOWN_FIRST = 8;

function slidersPanel(app) {
  const mean = numbersOf(app.data.spread.mean);
  const deviation = numbersOf(app.data.spread.deviation);
  const order = Array.from(deviation.keys()).sort((a, b) => deviation[b] - deviation[a]);
  const of = (i) => (app.state.z[i] - mean[i]) / (deviation[i] || 1);
  const made = [];
  const list = element("div", { class: "sliders" });
  const add = (i) => {
    const range = { min: -4, max: 4, step: 0.01, value: of(i), format: (v) => `${v.toFixed(2)} σ` };
    const part = slider(`z${i}`, range, (v) => {
      const z = app.state.z.slice();
      z[i] = mean[i] + v * (deviation[i] || 1);
      app.setCode(z, { by: "sliders" });
    });
    made.push([i, part]);
    list.append(part.node);
  };
  order.slice(0, SHOWN_FIRST).forEach(add);
  // While something is dragged only the first sliders follow, ten times a second: they cost more than decoding.
  let last = 0;
  app.on("code", ({ final, by }) => {
    const now = performance.now();
    if (!final && now - last < 100) return;
    last = now;
    const following = final ? made : made.slice(0, SHOWN_FIRST);
    for (const [i, part] of following) if (by !== "sliders" || document.activeElement !== part.input) part.set(of(i));
  });
  const rest = order.length - SHOWN_FIRST;
  const all = button(`all ${order.length}`, () => {
    order.slice(SHOWN_FIRST).forEach(add);
    all.remove();
  });
  return panel("Code",
    element("p", { class: "note" },
      "Each dimension in standard deviations of the codes, from their mean; the one that varies most comes first."),
    list, row(...(rest > 0 ? [all] : []), button("back to the sample", () => app.select(app.state.sample))));
}
