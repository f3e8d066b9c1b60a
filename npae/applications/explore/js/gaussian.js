// The distribution of a variational code: its ellipse on the map, draws from it and from N(0, 1), KL of each dimension.

function gaussianPanel(app, map) {
  const size = app.codeSize;
  let seed = 0;
  const sigmaOf = (i) => app.logVar.slice(i * size, (i + 1) * size).map((v) => Math.exp(0.5 * v));
  const table = element("tbody");
  const update = () => {
    const i = app.state.sample;
    map.sigma = sigmaOf(i);
    app.emit("ellipse");
    const rows = Array.from(app.codeAt(i), (mu, j) =>
      ({ j, mu, sigma: map.sigma[j], kl: divergence(mu, map.sigma[j]) }));
    const most = Math.max(...rows.map(({ kl }) => kl), 1e-9);
    table.replaceChildren(...rows.sort((a, b) => b.kl - a.kl).map(({ j, mu, sigma, kl }) => {
      const bar = element("meter", { min: 0, max: most, value: kl, "aria-label": `KL of z${j}` });
      return element("tr", {}, element("th", { scope: "row" }, `z${j}`),
        ...[mu, sigma, kl].map((v) => element("td", {}, shown(v))), element("td", {}, bar));
    }));
  };
  const draw = (text, code) => button(text, () => {
    seed += 1;
    app.setCode(code(normalNumbers(size, seed)), { by: "gaussian", base: null });
    announce(`${text}: ${Array.from(app.state.z.slice(0, 4), shown).join(", ")}`);
  });
  app.on("sample", update);
  update();
  return panel("Distribution of the code",
    element("p", { class: "note" }, "The ellipse on the map is one standard deviation around the chosen sample's μ."),
    row(draw("draw ε anew", (eps) => app.codeAt(app.state.sample).map((mu, i) => mu + map.sigma[i] * eps[i])),
      draw("draw from N(0, 1)", (eps) => eps)),
    scrolling("KL of each dimension", ["", "μ", "σ", "KL (nats)", ""], table));
}

// ½ (μ² + σ² − 1 − log σ²)
const divergence = (mu, sigma) => 0.5 * (mu * mu + sigma * sigma - 1 - 2 * Math.log(sigma));
