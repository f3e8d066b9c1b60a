// A path between the codes of two samples: a straight line, or along the sphere (spherical interpolation).

function onPath(a, b, t, isSphere) {
  if (!isSphere) return a.map((v, i) => (1 - t) * v + t * b[i]);
  const length = (z) => Math.sqrt(z.reduce((sum, v) => sum + v * v, 0));
  const [p, q] = [length(a), length(b)];
  const cosine = a.reduce((sum, v, i) => sum + v * b[i], 0) / (p * q || 1);
  const angle = Math.acos(Math.min(Math.max(cosine, -1), 1));
  if (angle < 1e-6 || Math.PI - angle < 1e-6) return onPath(a, b, t, false); // no direction is the shortest
  const radius = (1 - t) * p + t * q; // lengths are interpolated too
  const [u, v] = [Math.sin((1 - t) * angle) / Math.sin(angle) / p, Math.sin(t * angle) / Math.sin(angle) / q];
  return a.map((value, i) => radius * (u * value + v * b[i]));
}

function pathPanel(app, map) {
  const path = { from: 0, to: Math.min(1, app.n - 1), isSphere: false, t: 0 };
  const ends = () => [app.codeAt(path.from), app.codeAt(path.to)];
  const place = slider("Place", { min: 0, max: 1, step: 0.01, value: 0 }, (t) => go(t));
  const go = (t) => {
    path.t = t;
    place.set(t);
    map.path = Array.from({ length: 41 }, (_, i) => onPath(...ends(), i / 40, path.isSphere));
    const base = { 0: path.from, 1: path.to }[t] ?? null;
    app.setCode(onPath(...ends(), t, path.isSphere), { by: "path", base });
    app.emit("path");
  };
  const [from, to] = [["From sample", "from"], ["to sample", "to"]].map(([name, key]) =>
    pathEnd(app, name, path[key], (i) => {
      path[key] = i;
      go(0);
    }));
  const way = choice("Way", [["line", "straight"], ["sphere", "on the sphere"]], "line", (value) => {
    path.isSphere = value === "sphere";
    go(path.t);
  });
  return panel("Path", from, to, row(way.node), place.node,
    row(player(path, go), button("step", () => go(path.t >= 1 ? 0 : aTenthOn(path.t)))));
}

const aTenthOn = (t) => Math.min(Number((t + 0.1).toFixed(2)), 1);

// One end of the path: a number, the sample's picture, and a button that takes the sample that is chosen on the map.
function pathEnd(app, name, first, onchange) {
  let shownNow = first;
  const { node, draw } = picture(app, "", "picture small");
  const show = (i) => {
    shownNow = i;
    node.setAttribute("aria-label", app.describe(i));
    draw(app.sampleAt(i));
  };
  const change = (i) => {
    show(i);
    onchange(i);
  };
  const field = numberField(name, { min: 0, max: app.n - 1, value: first }, change);
  const take = button("the chosen one", () => {
    field.input.value = app.state.sample;
    change(app.state.sample);
  }, { "aria-label": `${name}: the chosen one` });
  app.on("theme", () => show(shownNow));
  show(first);
  return row(field.node, node, take);
}

// Plays the path once; where motion is to be reduced, in ten steps of half a second.
function player(path, go) {
  let playing = false;
  const stop = () => {
    playing = false;
    control.textContent = "play";
  };
  const next = (last) => {
    if (!playing) return;
    const isReduced = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const now = performance.now();
    go(isReduced ? aTenthOn(path.t) : Math.min(path.t + (now - last) / 3000, 1));
    if (path.t >= 1) stop();
    else if (isReduced) setTimeout(() => next(now), 500);
    else requestAnimationFrame(() => next(now));
  };
  const control = button("play", () => {
    if (playing) return stop();
    playing = true;
    control.textContent = "stop";
    if (path.t >= 1) go(0);
    next(performance.now());
  });
  return control;
}
