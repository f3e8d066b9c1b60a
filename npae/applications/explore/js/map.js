// The map of the codes: where its codes lie on the screen, and which of them is near a place.

const REACH = 16; // pixels from a point within which it is meant

function makeMap(app, projection) {
  const points = element("canvas", { class: "points", role: "img", "aria-label": "Map of the codes" });
  const front = element("canvas", { class: "front", "aria-hidden": "true" });
  const node = element("div", { class: "map" }, points, front);
  const map = { app, node, points, front, projection, hovered: -1, thumbnails: Boolean(imageShape(app.data)) };
  map.lens = { centre: [0, 0], scale: 1 };
  map.toScreen = ([u, v]) => {
    const { centre, scale } = map.lens;
    return [(u - centre[0]) * scale + map.width / 2, map.height / 2 - (v - centre[1]) * scale];
  };
  map.toPlane = ([x, y]) => {
    const { centre, scale } = map.lens;
    return [(x - map.width / 2) / scale + centre[0], (map.height / 2 - y) / scale + centre[1]];
  };
  map.place = () => (map.places = Array.from({ length: app.n }, (_, i) => projection.project(app.codeAt(i))));
  map.fit = () => {
    const bounds = [0, 1].map((k) => {
      const values = map.places.map((p) => p[k]);
      return [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
    });
    const size = [map.width, map.height];
    const span = Math.max(...bounds.map(([low, high], k) => (high - low) / size[k]));
    map.whole = span > 0 ? 0.88 / span : map.width / 4; // codes that are all equal: from 2 below to 2 above
    map.lens = { centre: bounds.map(([low, high]) => (low + high) / 2), scale: map.whole };
    map.draw();
  };
  // What lies at the place `at` stays there.
  map.zoom = (factor, at = [map.width / 2, map.height / 2]) => {
    const before = map.toPlane(at);
    map.lens.scale = Math.min(Math.max(map.lens.scale * factor, map.whole / 20), map.whole * 1000);
    map.move(map.toPlane(at), before);
  };
  map.move = (from, to) => {
    map.lens.centre = map.lens.centre.map((c, k) => c + to[k] - from[k]);
    map.draw();
  };
  map.draw = () => {
    drawPoints(map);
    map.drawFront();
    app.emit("lens");
  };
  map.drawFront = () => drawFront(map);
  map.nearest = ([x, y]) => {
    let [best, found] = [REACH ** 2, -1];
    map.places.forEach((place, i) => {
      const [px, py] = map.toScreen(place);
      const distance = (px - x) ** 2 + (py - y) ** 2;
      if (distance < best) [best, found] = [distance, i];
    });
    return found;
  };
  map.place();
  listenToMap(map);
  return map;
}

function listenToMap(map) {
  const { app } = map;
  new ResizeObserver(() => {
    const isFirst = !map.width;
    [map.width, map.height] = [map.node.clientWidth, map.node.clientHeight];
    if (!map.width) return;
    for (const canvas of [map.points, map.front]) {
      [canvas.width, canvas.height] = [map.width * devicePixelRatio, map.height * devicePixelRatio];
    }
    if (isFirst) map.fit();
    else map.draw();
  }).observe(map.node);
  app.on("axes", () => {
    map.place();
    map.fit();
  });
  app.on("theme", () => map.width && map.draw());
  for (const event of ["sample", "path", "ellipse"]) app.on(event, () => map.width && map.drawFront());
  listenToPointers(map);
}
