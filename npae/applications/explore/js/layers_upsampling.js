// UpSample2D: y = R x Cᵀ on each image, with R and C that repeat values (nearest) or interpolate them (bilinear).

// For each output along one axis, the inputs it is made of: [[input, weight], ...].
function upsamplingWeights(nOut, nIn, factor, mode) {
  return Array.from({ length: nOut }, (_, i) => {
    if (mode === "nearest") return [[Math.floor(i / factor), 1]];
    const position = Math.min(Math.max((i + 0.5) / factor - 0.5, 0), nIn - 1);
    const low = Math.floor(position);
    return [[low, 1 - (position - low)], [Math.min(low + 1, nIn - 1), position - low]];
  });
}

// Calls use(cell of x, cell of y, weight) for every pair that depends on each other.
function eachUpsampledPair(layer, n, use) {
  const [rows, columns] = [0, 1].map((k) =>
    upsamplingWeights(layer.output[k], layer.input[k], layer.factor[k], layer.mode));
  eachResampledPair(layer, rows, columns, n, use);
}

// The same for any weights of rows and columns.
function eachResampledPair({ input, output }, rows, columns, n, use) {
  const channels = input[2];
  for (let s = 0; s < n; s++) {
    rows.forEach((fromRows, p) => columns.forEach((fromColumns, q) => {
      const y = s * sizeOf(output) + (p * output[1] + q) * channels;
      for (const [row, u] of fromRows) {
        for (const [column, v] of fromColumns) {
          const x = s * sizeOf(input) + (row * input[1] + column) * channels;
          for (let c = 0; c < channels; c++) use(x + c, y + c, u * v);
        }
      }
    }));
  }
}

KINDS.UpSample2D = {
  forward(layer, x, n) {
    const y = new Float64Array(n * sizeOf(layer.output));
    eachUpsampledPair(layer, n, (cell, place, weight) => (y[place] += weight * x[cell]));
    return y;
  },
  backward(layer, step, dy, n) {
    const dx = new Float64Array(n * sizeOf(layer.input));
    eachUpsampledPair(layer, n, (cell, place, weight) => (dx[cell] += weight * dy[place]));
    return dx;
  },
};
