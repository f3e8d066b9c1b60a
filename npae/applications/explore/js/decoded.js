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
  const decode = () => decoded.draw(app.decode());
  const caption = element("figcaption");
  const tellNearest = () => {
    const [nearest] = nearestSamples(app, app.state.z, 1);
    const isOwn = nearest === app.state.sample && app.state.z.every((v, i) => v === app.codeAt(nearest)[i]);
    caption.textContent = `x̂: decoded from the code at ✛${isOwn ? "" : `; nearest to it: ${app.describe(nearest)}`}`;
  };
  app.on("code", ({ final }) => {
    decode();
    if (final) tellNearest();
  });
  app.on("theme", () => (decode(), show(app.state.sample)));
  show(app.state.sample);
  decode();
  tellNearest();
  return panel("Sample, and what the decoder makes of the code",
    row(figure(sample.node, "x: the sample chosen, or under the pointer"),
      element("figure", {}, decoded.node, caption)),
    ...(app.data.condition ? [conditionRow(app)] : []), about, neighbours);
}

// The label that a conditional network decodes with: at first that of the sample; the code stays as it is.
function conditionRow(app) {
  const names = app.data.condition.names.map((name, place) => [String(place), name]);
  const label = choice("Decoded with the label", names, String(app.state.label), (place) => {
    app.state.label = Number(place);
    app.setCode(app.state.z, { by: "label" });
  });
  app.on("sample", () => (label.select.value = String(app.state.label)));
  return row(label.node);
}
