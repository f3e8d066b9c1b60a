// The panel around the map: its axes, its buttons, the sample chosen by number, and the legend.

function mapPanel(app) {
  const projection = makeProjection(app);
  const map = makeMap(app, projection);
  const chosen = numberField("Sample", { min: 0, max: app.n - 1, value: app.state.sample }, app.select);
  app.on("sample", () => (chosen.input.value = app.state.sample));
  const caption = element("p", { class: "note" });
  const describe = () => {
    const [across, up] = projection.names();
    caption.textContent = `Across: ${across}; up: ${up}. ${projection.held()}`;
  };
  app.on("code", ({ final }) => final && describe());
  app.on("axes", describe);
  describe();
  const thumbnails = checkbox("thumbnails", map.thumbnails, (on) => {
    map.thumbnails = on;
    map.draw();
  });
  addInset(app, map);
  addHandle(app, map);
  const node = panel("Map of the codes",
    element("p", { id: "handle-help", class: "note" },
      "Drag ✛, or move it with the arrow keys (with Shift farther). Choose a sample with a click or by its number. "
      + "Drag beside ✛ to move the map; zoom with Ctrl and the wheel, or with two fingers."),
    row(chosen.node, ...axisChoices(app)),
    map.node,
    row(button("+", () => map.zoom(1.4), { "aria-label": "Zoom in" }),
      button("−", () => map.zoom(1 / 1.4), { "aria-label": "Zoom out" }),
      button("whole map", () => map.fit()),
      ...(imageShape(app.data) ? [thumbnails.node] : [])),
    caption, legend(app));
  return { node, map };
}

// On a narrow screen, where the decoded image lies below the map, it is shown in the map's corner too.
function addInset(app, map) {
  const { node, draw } = picture(app, "", "picture inset");
  node.setAttribute("aria-hidden", "true");
  const decode = () => node.offsetParent && draw(app.decode());
  for (const event of ["code", "theme", "lens"]) app.on(event, decode);
  map.node.append(node);
}

function axisChoices(app) {
  const dimensions = Array.from({ length: app.codeSize }, (_, i) => [String(i), `z${i}`]);
  const start = app.state.axes ? app.state.axes.map(String) : ["principal", String(Math.min(1, app.codeSize - 1))];
  const change = () => {
    const isPrincipal = across.select.value === "principal";
    up.node.hidden = isPrincipal;
    app.state.axes = isPrincipal ? null : [Number(across.select.value), Number(up.select.value)];
    app.emit("axes");
  };
  const across = choice("Across", [["principal", "principal axes"], ...dimensions], start[0], change);
  const up = choice("Up", dimensions, start[1], change);
  up.node.hidden = start[0] === "principal";
  return [across.node, up.node];
}
