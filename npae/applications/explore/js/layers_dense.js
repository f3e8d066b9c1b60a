// Dense: y = x W + b. TiedDense: y = x Wᵀ + c, with the W of an earlier Dense layer.
//
// Every kind of layer has forward(layer, x, n, theta, memo), which returns y, and
// backward(layer, step, dy, n, theta, dtheta), which adds to dtheta and returns dx.
// x, y, dx and dy hold n samples one after the other; `step` has the layer's x, y and memo of the forward pass.

const KINDS = {};

// out[n, j] += Σᵢ x[n, i] W[i, j]
function addProduct(x, W, start, n, nIn, nOut, out) {
  for (let s = 0; s < n; s++) {
    for (let i = 0; i < nIn; i++) {
      const value = x[s * nIn + i];
      if (value === 0) continue;
      const row = start + i * nOut;
      for (let j = 0; j < nOut; j++) out[s * nOut + j] += value * W[row + j];
    }
  }
}

// out[n, i] += Σⱼ g[n, j] W[i, j]
function addTransposedProduct(g, W, start, n, nIn, nOut, out) {
  for (let s = 0; s < n; s++) {
    for (let i = 0; i < nIn; i++) {
      const row = start + i * nOut;
      let sum = 0;
      for (let j = 0; j < nOut; j++) sum += g[s * nOut + j] * W[row + j];
      out[s * nIn + i] += sum;
    }
  }
}

// dW[i, j] += Σₙ x[n, i] g[n, j]
function addOuterProducts(x, g, n, nIn, nOut, dW, start) {
  for (let s = 0; s < n; s++) {
    for (let i = 0; i < nIn; i++) {
      const value = x[s * nIn + i];
      if (value === 0) continue;
      const row = start + i * nOut;
      for (let j = 0; j < nOut; j++) dW[row + j] += value * g[s * nOut + j];
    }
  }
}

function repeatBias(theta, start, n, size) {
  const y = new Float64Array(n * size);
  for (let s = 0; s < n; s++) for (let j = 0; j < size; j++) y[s * size + j] = theta[start + j];
  return y;
}

// db[j] += Σ g[..., j]
function addColumnSums(g, size, db, start) {
  for (let i = 0; i < g.length; i++) db[start + (i % size)] += g[i];
}

KINDS.Dense = {
  forward({ input, output, W, b }, x, n, theta) {
    const y = repeatBias(theta, b.start, n, output[0]);
    addProduct(x, theta, W.start, n, input[0], output[0], y);
    return y;
  },
  backward({ input, output, W, b }, { x }, dy, n, theta, dtheta) {
    addOuterProducts(x, dy, n, input[0], output[0], dtheta, W.start);
    addColumnSums(dy, output[0], dtheta, b.start);
    const dx = new Float64Array(n * input[0]);
    addTransposedProduct(dy, theta, W.start, n, input[0], output[0], dx);
    return dx;
  },
};

KINDS.TiedDense = {
  // W is (out, in): the partner's inputs are this layer's outputs.
  forward({ input, output, W, c }, x, n, theta) {
    const y = repeatBias(theta, c.start, n, output[0]);
    addTransposedProduct(x, theta, W.start, n, output[0], input[0], y);
    return y;
  },
  backward({ input, output, W, c }, { x }, dy, n, theta, dtheta) {
    addOuterProducts(dy, x, n, output[0], input[0], dtheta, W.start);
    addColumnSums(dy, output[0], dtheta, c.start);
    const dx = new Float64Array(n * input[0]);
    addProduct(dy, theta, W.start, n, output[0], input[0], dx);
    return dx;
  },
};
