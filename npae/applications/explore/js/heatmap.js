// Heat maps of signed numbers: white is zero, orange above it, blue below, with a labelled scale.

const MOST_CELLS = 512; // along one side; of larger arrays each cell shows the entry farthest from zero of a group

const POSITIVE = [194, 65, 12];
const NEGATIVE = [29, 78, 216];

function heatColour(share) {
  const end = share >= 0 ? POSITIVE : NEGATIVE;
  const strength = Math.sqrt(Math.min(Math.abs(share), 1)); // small values are seen too
  return end.map((c) => 255 + (c - 255) * strength);
}

// values (rows, columns) from `start` in steps of `stride` as {rows, columns, group, at(r, c)}
function condensed(values, rows, columns) {
  const group = [Math.ceil(rows / MOST_CELLS), Math.ceil(columns / MOST_CELLS)];
  const shape = [Math.ceil(rows / group[0]), Math.ceil(columns / group[1])];
  const cells = new Float64Array(shape[0] * shape[1]);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const cell = Math.floor(r / group[0]) * shape[1] + Math.floor(c / group[1]);
      const value = values[r * columns + c];
      if (Math.abs(value) > Math.abs(cells[cell])) cells[cell] = value;
    }
  }
  return { cells, shape, group };
}

// onchoose(row, column) is called for a click, and `chosen` is marked; both may be null.
function heatMap(title, values, rows, columns, { onchoose = null, chosen = null } = {}) {
  const { cells, shape, group } = condensed(values, rows, columns);
  const most = largest(cells);
  const canvas = element("canvas", {
    width: shape[1], height: shape[0], class: "heat", role: "img",
    "aria-label": `${title}: ${rows} by ${columns}, largest ${shown(most)}`,
  });
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(shape[1], shape[0]);
  cells.forEach((v, i) => pixels.data.set([...heatColour(most ? v / most : 0), 255], 4 * i));
  context.putImageData(pixels, 0, 0);
  canvas.style.aspectRatio = String(Math.min(Math.max(shape[1] / shape[0], 0.5), 12));
  if (onchoose) {
    canvas.classList.add("choosable");
    canvas.addEventListener("click", (event) => onchoose(
      Math.min(Math.floor((event.offsetY / canvas.clientHeight) * shape[0]) * group[0], rows - 1),
      Math.min(Math.floor((event.offsetX / canvas.clientWidth) * shape[1]) * group[1], columns - 1)));
  }
  const grouped = group[0] * group[1] > 1 ? `; a cell shows the largest of ${group[0]}×${group[1]}` : "";
  return element("figure", { class: "heatmap" }, element("figcaption", {}, `${title}, ${rows}×${columns}${grouped}`),
    element("div", { class: "marked" }, canvas, ...(chosen ? [markAt(chosen, group, shape)] : [])), scaleOf(most));
}

// A ring around the cell of an entry.
function markAt(place, group, shape) {
  const mark = element("span", { class: "mark", "aria-hidden": "true" });
  const [top, left] = place.map((i, axis) => `${(100 * (Math.floor(i / group[axis]) + 0.5)) / shape[axis]}%`);
  Object.assign(mark.style, { top, left });
  return mark;
}

function scaleOf(most) {
  const bar = element("canvas", { width: 101, height: 1, class: "scale", "aria-hidden": "true" });
  const pixels = bar.getContext("2d").createImageData(101, 1);
  for (let i = 0; i <= 100; i++) pixels.data.set([...heatColour((i - 50) / 50), 255], 4 * i);
  bar.getContext("2d").putImageData(pixels, 0, 0);
  return element("div", { class: "legend-scale" }, bar,
    row(element("span", {}, shown(-most)), element("span", {}, "0"), element("span", {}, shown(most))));
}
