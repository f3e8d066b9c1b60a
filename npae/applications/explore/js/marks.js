// The mark of each label on the map: a colour and a shape, so that neither is needed alone.

const COLOURS = {
  light: ["#1d4ed8", "#c2410c", "#15803d", "#b91c1c", "#7e22ce", "#78350f", "#be185d", "#475569", "#4d7c0f", "#0e7490"],
  dark: ["#93c5fd", "#fdba74", "#86efac", "#fca5a5", "#d8b4fe", "#fcd34d", "#f9a8d4", "#cbd5e1", "#bef264", "#67e8f9"],
};

const polygon = (...points) => (c, r) => {
  points.forEach(([x, y], i) => c[i ? "lineTo" : "moveTo"](x * r, y * r));
  c.closePath();
};
const bars = (...lines) => (c, r) => lines.forEach(([a, b, d, e]) => (c.moveTo(a * r, b * r), c.lineTo(d * r, e * r)));
const STAR = Array.from({ length: 10 }, (_, i) => {
  const [radius, angle] = [i % 2 ? 0.5 : 1.2, (i * Math.PI) / 5 - Math.PI / 2];
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
});

// [how to draw it, whether it is filled]
const SHAPES = [
  [(c, r) => c.arc(0, 0, r, 0, 2 * Math.PI), true],
  [polygon([-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]), true],
  [polygon([0, -1.1], [1.1, 0.8], [-1.1, 0.8]), true],
  [polygon([0, -1.3], [1, 0], [0, 1.3], [-1, 0]), true],
  [polygon([0, 1.1], [1.1, -0.8], [-1.1, -0.8]), true],
  [bars([-1.1, 0, 1.1, 0], [0, -1.1, 0, 1.1]), false],
  [bars([-0.9, -0.9, 0.9, 0.9], [-0.9, 0.9, 0.9, -0.9]), false],
  [polygon(...STAR), true],
  [(c, r) => c.arc(0, 0, r, 0, 2 * Math.PI), false],
  [polygon([-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]), false],
];

// Beyond ten labels the shapes move on by one against the colours; 100 pairs differ.
function markOf(label) {
  const colours = COLOURS[isDark() ? "dark" : "light"];
  const shape = SHAPES[(label + Math.floor(label / colours.length)) % SHAPES.length];
  return { colour: colours[label % colours.length], shape };
}

function drawMark(context, x, y, radius, label) {
  const { colour, shape: [outline, isFilled] } = markOf(label);
  context.save();
  context.translate(x, y);
  context.beginPath();
  outline(context, radius);
  context.fillStyle = context.strokeStyle = colour;
  context.lineWidth = 1.4;
  if (isFilled) context.fill();
  else context.stroke();
  context.restore();
}

function legend(app) {
  const items = (app.data.labels ? app.data.label_names : []).map((name, label) => {
    const canvas = element("canvas", { width: 32, height: 32, "aria-hidden": "true" });
    const draw = () => {
      canvas.getContext("2d").clearRect(0, 0, 32, 32);
      drawMark(canvas.getContext("2d"), 16, 16, 9, label);
    };
    app.on("theme", draw);
    draw();
    return element("li", {}, canvas, name);
  });
  return element("ul", { class: "legend", tabindex: items.length ? 0 : null, "aria-label": "Labels" }, ...items);
}
