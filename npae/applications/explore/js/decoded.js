// The decoded image beside the chosen sample, and the five samples whose codes are nearest.

function decodedPanel(app) {
  const sample = picture(app, "Chosen sample");
  const decoded = picture(app, "Decoded image");
  const about = element("p", { class: "note" });
  const neighbours = element("div", { class: "row neighbours" });
  const show = (i) => {
    sample.draw(app.sampleAt(i));
    sample.node.setAttribute("aria-label", app.describe(i));
    about.textContent = `${app.describe(i)}; its five nearest by code:`;
    neighbours.replaceChildren(...nearestSamples(app, app.codeAt(i), 5, i).map((j) => {
      const { node, draw } = picture(app, app.describe(j), "picture small");
      draw(app.sampleAt(j));
      return button(figure(node, `${j}${app.data.labels ? `: ${app.labelOf(j)}` : ""}`), () => app.select(j),
        { class: "plain", "aria-label": `Choose ${app.describe(j)}` });
    }));
  };
  app.on("sample", () => {
    show(app.state.sample);
    announce(app.describe(app.state.sample));
  });
  app.on("hover", (i) => show(i < 0 ? app.state.sample : i));
  const decode = () => decoded.draw(app.network.decode(app.state.z));
  app.on("code", decode);
  app.on("theme", () => (decode(), show(app.state.sample)));
  show(app.state.sample);
  decode();
  return panel("Sample, and what the decoder makes of the code",
    row(figure(sample.node, "x: the sample chosen, or under the pointer"),
      figure(decoded.node, "x̂: decoded from the code at ✛")), about, neighbours);
}
