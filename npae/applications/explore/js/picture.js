// Samples as pictures: images as pixels, other samples as a line of their values.

const isDark = () => matchMedia("(prefers-color-scheme: dark)").matches;

function imageShape({ input_shape: shape }) {
  if (shape.length === 2) return [...shape, 1];
  return shape.length === 3 && (shape[2] === 1 || shape[2] === 3) ? shape : null;
}

// A canvas on which draw(values) shows a sample; `low` and `high` are black and white, or bottom and top.
function picture(app, label, className = "picture") {
  const shape = imageShape(app.data);
  const canvas = element("canvas", { class: className, role: "img", "aria-label": label });
  [canvas.width, canvas.height] = shape ? [shape[1], shape[0]] : [240, 120];
  if (!shape) canvas.classList.add("signal");
  const context = canvas.getContext("2d");
  const draw = (values, [low, high] = app.data.range) =>
    shape ? drawImage(context, values, shape, low, high) : drawSignal(context, [values], low, high);
  return { node: canvas, draw };
}

function drawImage(context, values, [height, width, channels], low, high) {
  const pixels = context.createImageData(width, height);
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < 3; c++) {
      const value = values[i * channels + (channels === 3 ? c : 0)];
      pixels.data[4 * i + c] = (255 * (value - low)) / (high - low || 1);
    }
    pixels.data[4 * i + 3] = 255;
  }
  context.putImageData(pixels, 0, 0);
}

function drawSignal(context, lines, low, high) {
  const { width, height } = context.canvas;
  context.fillStyle = isDark() ? "#0b1220" : "#ffffff";
  context.fillRect(0, 0, width, height);
  lines.forEach((values) => {
    context.beginPath();
    context.strokeStyle = isDark() ? "#93c5fd" : "#1d4ed8";
    context.lineWidth = 1.5;
    Array.from(values).forEach((v, i) => {
      const y = height - 4 - ((v - low) / (high - low || 1)) * (height - 8);
      context.lineTo((i / Math.max(values.length - 1, 1)) * (width - 4) + 2, y);
    });
    context.stroke();
  });
}

const figure = (node, caption) => element("figure", {}, node, element("figcaption", {}, caption));
