// The handle on the map: drag it, or move it with the arrow keys, and the decoded image follows.

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

function addHandle(app, map) {
  const handle = element("button", {
    type: "button", class: "handle", "aria-label": "Code on the map", "aria-describedby": "handle-help",
  }, "✛");
  map.node.append(handle);
  const follow = () => {
    if (!map.width) return;
    const [x, y] = map.toScreen(map.projection.project(app.state.z));
    const inside = [Math.min(Math.max(x, 0), map.width), Math.min(Math.max(y, 0), map.height)];
    handle.style.transform = `translate(${inside[0]}px, ${inside[1]}px)`;
    handle.classList.toggle("outside", inside[0] !== x || inside[1] !== y);
  };
  const moveTo = (place, final) => app.setCode(map.projection.lift(app.state.z, place), { by: "handle", final });
  dragged(handle, map, moveTo);
  handle.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    const reach = (event.shiftKey ? 40 : 8) / map.lens.scale; // pixels
    const [u, v] = map.projection.project(app.state.z);
    const place = [u + step[0] * reach, v + step[1] * reach];
    moveTo(place, true);
    announce(`Code at ${place.map(shown).join(", ")}; nearest ${app.describe(nearestSamples(app, app.state.z, 1)[0])}`);
  });
  for (const event of ["code", "lens", "axes"]) app.on(event, follow);
  follow();
}

// Moves once a frame, however often the pointer reports.
function dragged(handle, map, moveTo) {
  let [at, offset, frame] = [null, [0, 0], 0];
  const local = (event) => {
    const box = map.node.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  handle.addEventListener("pointerdown", (event) => {
    handle.setPointerCapture(event.pointerId);
    const [x, y] = map.toScreen(map.projection.project(map.app.state.z));
    const [px, py] = local(event);
    offset = handle.classList.contains("outside") ? [0, 0] : [x - px, y - py];
    at = [px + offset[0], py + offset[1]];
  });
  handle.addEventListener("pointermove", (event) => {
    if (!at || map.isPinched) return; // one of two fingers that zoom
    at = local(event).map((v, k) => v + offset[k]);
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      if (at) moveTo(map.toPlane(at), false);
    });
  });
  const drop = () => {
    if (at && !map.isPinched) moveTo(map.toPlane(at), true);
    at = null;
  };
  handle.addEventListener("pointerup", drop);
  handle.addEventListener("pointercancel", drop);
}
