// Conv2D: y[i, j] = Σₖₘ x̄[i·s + k, j·s + m] W[k, m] + b, with x̄ the image padded with zeros.

// Calls use(cell of x, element of W, cell of y) for every window, where each stands for all its channels.
function eachWindowCell({ input, output, kernel, stride, origin }, use) {
  const [height, width, nIn] = input;
  const [rows, columns, nOut] = output;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      for (let k = 0; k < kernel[0]; k++) {
        const row = i * stride[0] + k - origin[0];
        if (row < 0 || row >= height) continue;
        for (let m = 0; m < kernel[1]; m++) {
          const column = j * stride[1] + m - origin[1];
          if (column < 0 || column >= width) continue;
          use((row * width + column) * nIn, (k * kernel[1] + m) * nIn * nOut, (i * columns + j) * nOut);
        }
      }
    }
  }
}

KINDS.Conv2D = {
  forward(layer, x, n, theta) {
    const { input, output, W, b } = layer;
    const [nIn, nOut] = [input[2], output[2]];
    const y = repeatBias(theta, b.start, (n * sizeOf(output)) / nOut, nOut);
    for (let s = 0; s < n; s++) {
      const [fromX, fromY] = [s * sizeOf(input), s * sizeOf(output)];
      eachWindowCell(layer, (cell, element, place) => {
        for (let c = 0; c < nIn; c++) {
          const value = x[fromX + cell + c];
          if (value === 0) continue;
          const row = W.start + element + c * nOut;
          for (let f = 0; f < nOut; f++) y[fromY + place + f] += value * theta[row + f];
        }
      });
    }
    return y;
  },
  backward(layer, { x }, dy, n, theta, dtheta) {
    const { input, output, W, b } = layer;
    const [nIn, nOut] = [input[2], output[2]];
    const dx = new Float64Array(n * sizeOf(input));
    addColumnSums(dy, nOut, dtheta, b.start);
    for (let s = 0; s < n; s++) {
      const [fromX, fromY] = [s * sizeOf(input), s * sizeOf(output)];
      eachWindowCell(layer, (cell, element, place) => {
        for (let c = 0; c < nIn; c++) {
          const value = x[fromX + cell + c];
          const row = W.start + element + c * nOut;
          let sum = 0;
          for (let f = 0; f < nOut; f++) {
            const g = dy[fromY + place + f];
            dtheta[row + f] += value * g;
            sum += g * theta[row + f];
          }
          dx[fromX + cell + c] += sum;
        }
      });
    }
    return dx;
  },
};
