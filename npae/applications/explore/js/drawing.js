// Draw an image with pen and eraser: it is encoded, placed on the map, and shown beside x̂ and |x − x̂|.

// Cells of the drawing, along a side, for one pixel of the image: fewer of large images.
const finenessOf = (height, width) => Math.min(Math.max(Math.floor(224 / Math.max(height, width)), 1), 8);

// The drawing as an image: as MNIST is, its box scaled to 20/28 of the size and its centre of mass in the middle, or
// as it is. `ink` is (height · fine, width · fine), 0 to 1.
function imageOfDrawing(ink, height, width, fine, isCentred) {
  const [rows, columns] = [height * fine, width * fine];
  let [top, bottom, left, right, mass, y, x] = [rows, -1, columns, -1, 0, 0, 0];
  ink.forEach((v, i) => {
    if (!v) return;
    const [r, c] = [Math.floor(i / columns), i % columns];
    [top, bottom, left, right] = [Math.min(top, r), Math.max(bottom, r), Math.min(left, c), Math.max(right, c)];
    [mass, y, x] = [mass + v, y + v * r, x + v * c];
  });
  const image = new Float64Array(height * width);
  if (!mass) return image;
  const box = Math.max((bottom - top + 1) / rows, (right - left + 1) / columns);
  const scale = isCentred ? 20 / 28 / box : 1;
  const middle = [(rows - 1) / 2, (columns - 1) / 2];
  const centre = isCentred ? [y / mass, x / mass] : middle;
  // Every fine cell of the result takes the ink at its place in the drawing; a pixel is the mean of its cells.
  for (let r = 0; r < rows; r++) {
    const from = Math.round((r - middle[0]) / scale + centre[0]);
    if (from < 0 || from >= rows) continue;
    for (let c = 0; c < columns; c++) {
      const at = Math.round((c - middle[1]) / scale + centre[1]);
      if (at < 0 || at >= columns) continue;
      image[Math.floor(r / fine) * width + Math.floor(c / fine)] += ink[from * columns + at] / (fine * fine);
    }
  }
  return image;
}

function makePad(height, width, onchange) {
  const fine = finenessOf(height, width);
  const canvas = element("canvas", {
    class: "pad", tabindex: 0, role: "application", width: width * fine, height: height * fine,
    "aria-label": "Drawing; arrow keys move the pen, space draws", "data-testid": "pad",
  });
  const pad = { canvas, fine, ink: new Float64Array(height * width * fine * fine), isEraser: false, at: null };
  const columns = width * fine;
  pad.dot = (x, y) => {
    const radius = 0.045 * columns * (pad.isEraser ? 2 : 1);
    for (let r = Math.max(0, Math.floor(y - radius)); r < Math.min(height * fine, y + radius); r++) {
      for (let c = Math.max(0, Math.floor(x - radius)); c < Math.min(columns, x + radius); c++) {
        if (Math.hypot(r - y, c - x) <= radius) pad.ink[r * columns + c] = pad.isEraser ? 0 : 1;
      }
    }
  };
  pad.line = ([x, y], [a, b]) => {
    const steps = Math.max(1, Math.ceil(Math.hypot(a - x, b - y) / 3));
    for (let i = 0; i <= steps; i++) pad.dot(x + ((a - x) * i) / steps, y + ((b - y) * i) / steps);
  };
  pad.draw = () => {
    drawImage(canvas.getContext("2d"), pad.ink, [height * fine, columns, 1], 0, 1);
    if (pad.at) drawPen(canvas.getContext("2d"), pad);
  };
  pad.show = () => {
    pad.draw();
    onchange();
  };
  return pad;
}

// Where the pen is that is moved by keys: a square, filled while it draws.
function drawPen(context, { at: [x, y], fine, isDown }) {
  context.lineWidth = Math.max(fine / 4, 1);
  context.strokeStyle = context.fillStyle = "#f59e0b";
  context.beginPath();
  context.rect(x - fine, y - fine, 2 * fine, 2 * fine);
  if (isDown) context.fill();
  else context.stroke();
}

function listenToPad(pad) {
  const { canvas } = pad;
  let last = null;
  const local = (event) => [
    (event.offsetX / canvas.clientWidth) * canvas.width, (event.offsetY / canvas.clientHeight) * canvas.height,
  ];
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    last = local(event);
    pad.at = null;
    pad.line(last, last);
    pad.show();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    const at = local(event);
    pad.line(last, at);
    last = at;
    pad.show();
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (last = null));
  canvas.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (!step && event.key !== " ") return;
    event.preventDefault();
    const [x, y] = pad.at || [canvas.width / 2, canvas.height / 2];
    const next = step ? [x + pad.fine * step[0], y - pad.fine * step[1]] : [x, y];
    pad.at = [Math.min(Math.max(next[0], 0), canvas.width), Math.min(Math.max(next[1], 0), canvas.height)];
    if (event.key === " ") pad.isDown = !pad.isDown;
    if (pad.isDown) pad.line([x, y], pad.at);
    pad.show();
    announce(`${pad.isDown ? "drawing" : "pen up"} at column ${Math.round(pad.at[0] / pad.fine)}, row `
      + `${Math.round(pad.at[1] / pad.fine)}`);
  });
}

// Only for images of one channel between 0 and 1, on which white on black can be drawn.
const canDraw = ({ input_shape: shape, range }) =>
  shape.length >= 2 && (shape[2] || 1) === 1 && range[0] === 0 && range[1] === 1;

function drawingPanel(app) {
  const [height, width] = app.data.input_shape;
  const captions = ["x: the drawing as the network sees it", "x̂: decoded from its code", "|x − x̂|"];
  const parts = captions.map((caption) => {
    const { node, draw } = picture(app, caption, "picture medium");
    return { draw, node: figure(node, caption) };
  });
  let isCentred = true;
  const result = element("p", { class: "note" }, "Draw something.");
  const update = () => {
    const x = imageOfDrawing(pad.ink, height, width, pad.fine, isCentred);
    const z = app.network.encode(x);
    const reconstruction = app.decode(z);
    [x, reconstruction, x.map((v, i) => Math.abs(v - reconstruction[i]))].forEach((v, i) => parts[i].draw(v));
    app.setCode(z, { by: "drawing", base: null });
    const loss = app.network.forward(x, { labels: app.data.condition && [app.state.label] }).losses[0];
    result.textContent = `Loss ${shown(loss)}; the code is at ✛ on the map; nearest is `
      + `${app.describe(nearestSamples(app, z, 1)[0])}.`;
  };
  const pad = makePad(height, width, update);
  pad.draw();
  parts.forEach(({ draw }) => draw(new Float64Array(height * width)));
  listenToPad(pad);
  const pen = choice("With", [["pen", "pen"], ["eraser", "eraser"]], "pen", (v) => (pad.isEraser = v === "eraser"));
  const centred = checkbox("scaled and centred by mass, as MNIST is", true, (on) => {
    isCentred = on;
    update();
  });
  const clear = button("clear", () => {
    pad.ink.fill(0);
    pad.show();
  });
  return panel("Draw", row(pad.canvas, ...parts.map(({ node }) => node)), row(pen.node, clear, centred.node), result);
}
