// Max pooling and average pooling; cells beyond the image are ignored.

// Calls use(place in y, first row, end row, first column, end column) for every window, cut to the image.
function eachPoolingWindow({ input, output, kernel, stride, origin }, use) {
  for (let i = 0; i < output[0]; i++) {
    const top = i * stride[0] - origin[0];
    const rows = [Math.max(top, 0), Math.min(top + kernel[0], input[0])];
    for (let j = 0; j < output[1]; j++) {
      const left = j * stride[1] - origin[1];
      use(i * output[1] + j, ...rows, Math.max(left, 0), Math.min(left + kernel[1], input[1]));
    }
  }
}

function firstMaximum(x, from, [, width, channels], c, top, bottom, left, right) {
  let winner = -1;
  for (let r = top; r < bottom; r++) {
    for (let q = left; q < right; q++) {
      const cell = from + (r * width + q) * channels + c;
      if (winner < 0 || x[cell] > x[winner]) winner = cell;
    }
  }
  return winner;
}

KINDS.MaxPool2D = {
  forward(layer, x, n, theta, memo) {
    const { input, output } = layer;
    const channels = input[2];
    const y = new Float64Array(n * sizeOf(output));
    memo.winner = new Int32Array(y.length);
    for (let s = 0; s < n; s++) {
      eachPoolingWindow(layer, (place, ...window) => {
        for (let c = 0; c < channels; c++) {
          const at = s * sizeOf(output) + place * channels + c;
          memo.winner[at] = firstMaximum(x, s * sizeOf(input), input, c, ...window);
          y[at] = x[memo.winner[at]];
        }
      });
    }
    return y;
  },
  backward({ input }, { memo }, dy, n) {
    const dx = new Float64Array(n * sizeOf(input));
    dy.forEach((g, i) => (dx[memo.winner[i]] += g));
    return dx;
  },
};

// Calls use(cell of x, cell of y, number of cells in the window).
function eachAveragedCell(layer, n, use) {
  const { input, output } = layer;
  const channels = input[2];
  for (let s = 0; s < n; s++) {
    eachPoolingWindow(layer, (place, top, bottom, left, right) => {
      const cells = (bottom - top) * (right - left);
      for (let r = top; r < bottom; r++) {
        for (let q = left; q < right; q++) {
          for (let c = 0; c < channels; c++) {
            const cell = s * sizeOf(input) + (r * input[1] + q) * channels + c;
            use(cell, s * sizeOf(output) + place * channels + c, cells);
          }
        }
      }
    });
  }
}

KINDS.AveragePool2D = {
  forward(layer, x, n) {
    const y = new Float64Array(n * sizeOf(layer.output));
    eachAveragedCell(layer, n, (cell, place, cells) => (y[place] += x[cell] / cells));
    return y;
  },
  backward(layer, step, dy, n) {
    const dx = new Float64Array(n * sizeOf(layer.input));
    eachAveragedCell(layer, n, (cell, place, cells) => (dx[cell] += dy[place] / cells));
    return dx;
  },
};
