// The explorer: the map on one side, what belongs to its handle on the other.

function makeExplorer(app) {
  const { node: mapNode, map } = mapPanel(app);
  const right = [decodedPanel(app), slidersPanel(app)];
  const below = [pathPanel(app, map)];
  if (app.logVar) below.push(gaussianPanel(app, map));
  if (canDraw(app.data)) below.push(drawingPanel(app));
  below.push(noisePanel(app));
  return element("section", { id: "explorer", "aria-label": "Explorer" },
    element("div", { class: "columns" }, mapNode, element("div", {}, ...right)),
    element("div", { class: "columns" }, ...below));
}
