// The map of the codes: zoom, pan, and which sample is under the pointer.

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
    const span = Math.max(...bounds.map(([low, high], k) => (high - low) / [map.width, map.height][k]), 1e-9);
    map.lens = { centre: bounds.map(([low, high]) => (low + high) / 2), scale: 0.88 / span };
    map.draw();
  };
  map.zoom = (factor) => {
    map.lens.scale *= factor;
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
  map.front.addEventListener("wheel", (event) => {
    event.preventDefault();
    const before = map.toPlane([event.offsetX, event.offsetY]);
    map.lens.scale *= Math.exp(-event.deltaY / 500);
    const after = map.toPlane([event.offsetX, event.offsetY]);
    map.lens.centre = map.lens.centre.map((c, k) => c + before[k] - after[k]);
    map.draw();
  }, { passive: false });
  panAndHover(map);
}

// A press that moves pans; one that does not chooses the sample there, or brings the handle.
function panAndHover(map) {
  const { app, front } = map;
  let pressed = null;
  front.addEventListener("pointerdown", (event) => {
    pressed = { at: [event.offsetX, event.offsetY], last: [event.offsetX, event.offsetY], moved: false };
    front.setPointerCapture(event.pointerId);
  });
  front.addEventListener("pointermove", (event) => {
    const at = [event.offsetX, event.offsetY];
    if (!pressed) {
      const found = map.nearest(at);
      if (found === map.hovered) return;
      map.hovered = found;
      map.drawFront();
      app.emit("hover", found);
      return;
    }
    pressed.moved ||= Math.hypot(at[0] - pressed.at[0], at[1] - pressed.at[1]) > 4;
    if (!pressed.moved) return;
    const { centre, scale } = map.lens;
    map.lens.centre = [centre[0] - (at[0] - pressed.last[0]) / scale, centre[1] + (at[1] - pressed.last[1]) / scale];
    pressed.last = at;
    map.draw();
  });
  const leave = () => {
    map.hovered = -1;
    map.drawFront();
    app.emit("hover", -1);
  };
  front.addEventListener("pointerleave", () => pressed || leave());
  front.addEventListener("pointercancel", () => (pressed = null));
  front.addEventListener("pointerup", (event) => {
    const { moved } = pressed || { moved: true };
    pressed = null;
    if (moved) return;
    const at = [event.offsetX, event.offsetY];
    const found = map.nearest(at);
    if (found >= 0) app.select(found);
    else app.setCode(map.projection.lift(app.state.z, map.toPlane(at)));
  });
}
