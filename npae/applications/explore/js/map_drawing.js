// What the map shows: marks or thumbnails of all samples, and in front the path, the ellipse and the hovered sample.

const THUMBNAIL = 26; // pixels
const MOST_NAMED = 100; // labels with a mark of their own

function cleared(canvas) {
  const context = canvas.getContext("2d");
  context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  return context;
}

function drawPoints(map) {
  const { app } = map;
  const context = cleared(map.points);
  const taken = new Set();
  map.places.forEach((place, i) => {
    const [x, y] = map.toScreen(place);
    if (x < -9 || y < -9 || x > map.width + 9 || y > map.height + 9) return;
    drawMark(context, x, y, 3.2, app.data.labels ? app.data.labels[i] : 0);
    const cell = `${Math.floor(x / (THUMBNAIL * 1.7))},${Math.floor(y / (THUMBNAIL * 1.7))}`;
    if (!map.thumbnails || taken.has(cell)) return;
    taken.add(cell); // one in each cell, so that they do not hide each other
    context.globalAlpha = 0.85;
    context.drawImage(thumbnail(map, i), x + 4, y + 4, THUMBNAIL, THUMBNAIL);
    context.globalAlpha = 1;
  });
}

function thumbnail(map, i) {
  map.made ||= new Map();
  if (!map.made.has(i)) {
    const { node, draw } = picture(map.app, "");
    draw(map.app.sampleAt(i));
    map.made.set(i, node);
  }
  return map.made.get(i);
}

function drawFront(map) {
  const { app } = map;
  const context = cleared(map.front);
  context.strokeStyle = context.fillStyle = isDark() ? "#f8fafc" : "#0f172a";
  drawPath(context, map);
  drawEllipse(context, map);
  const chosen = map.toScreen(map.places[app.state.sample]);
  context.lineWidth = 2;
  context.beginPath();
  context.arc(...chosen, 8, 0, 2 * Math.PI);
  context.stroke();
  if (map.hovered < 0) return;
  const [x, y] = map.toScreen(map.places[map.hovered]);
  context.beginPath();
  context.arc(x, y, 8, 0, 2 * Math.PI);
  context.stroke();
  if (map.thumbnails) {
    context.imageSmoothingEnabled = false;
    const left = Math.min(x + 10, map.width - 66);
    const top = Math.min(y + 10, map.height - 66);
    context.drawImage(thumbnail(map, map.hovered), left, top, 64, 64);
    context.strokeRect(left, top, 64, 64);
  }
}

function drawPath(context, map) {
  if (!map.path) return;
  context.lineWidth = 1.5;
  context.setLineDash([5, 4]);
  context.beginPath();
  map.path.forEach((z) => context.lineTo(...map.toScreen(map.projection.project(z))));
  context.stroke();
  context.setLineDash([]);
}

function drawEllipse(context, map) {
  if (!map.sigma) return;
  const { radii, angle } = map.projection.ellipse(map.sigma);
  context.lineWidth = 1.5;
  context.beginPath();
  const [x, y] = map.toScreen(map.projection.project(map.app.codeAt(map.app.state.sample)));
  context.ellipse(x, y, radii[0] * map.lens.scale, radii[1] * map.lens.scale, -angle, 0, 2 * Math.PI);
  context.stroke();
}
