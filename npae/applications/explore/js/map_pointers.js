// Mouse, trackpad and fingers on the map: they choose a sample, move the map, and zoom.

function listenToPointers(map) {
  // Without Ctrl the wheel scrolls the page, which would else be caught in the map; a pinch on a trackpad has Ctrl.
  map.front.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    map.zoom(Math.exp(-event.deltaY / 500), [event.offsetX, event.offsetY]);
  }, { passive: false });
  panAndHover(map);
  pinch(map);
}

// Two fingers zoom and move the map; a browser would scroll the page with them.
function pinch(map) {
  let last = null;
  const placeOf = ({ touches }) => {
    const box = map.node.getBoundingClientRect();
    const [a, b] = [touches[0], touches[1]].map((t) => [t.clientX - box.left, t.clientY - box.top]);
    return { middle: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2], distance: Math.hypot(a[0] - b[0], a[1] - b[1]) };
  };
  const begin = (event) => {
    map.isPinched = event.touches.length === 2;
    last = map.isPinched ? placeOf(event) : null;
    if (last) event.preventDefault();
  };
  for (const name of ["touchstart", "touchend", "touchcancel"]) {
    map.node.addEventListener(name, begin, { passive: false });
  }
  map.node.addEventListener("touchmove", (event) => {
    if (!last) return;
    event.preventDefault();
    const now = placeOf(event);
    map.move(map.toPlane(now.middle), map.toPlane(last.middle));
    map.zoom(now.distance / Math.max(last.distance, 1), now.middle);
    last = now;
  }, { passive: false });
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
    pressed.moved ||= map.isPinched || Math.hypot(at[0] - pressed.at[0], at[1] - pressed.at[1]) > 4;
    if (!pressed.moved || map.isPinched) return;
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
    if (moved || map.isPinched) return;
    const at = [event.offsetX, event.offsetY];
    const found = map.nearest(at);
    if (found >= 0) app.select(found);
    else app.setCode(map.projection.lift(app.state.z, map.toPlane(at)));
  });
}
