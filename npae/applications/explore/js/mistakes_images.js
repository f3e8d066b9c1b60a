// Mistakes of the layers of images: convolution, pooling, upsampling, flattening.

function reversedKernel({ W: { start }, kernel, input, output }, values) {
  const result = values.slice();
  const [cells, size] = [kernel[0] * kernel[1], input[2] * output[2]];
  for (let k = 0; k < cells; k++) {
    result.set(values.subarray(start + k * size, start + (k + 1) * size), start + (cells - 1 - k) * size);
  }
  return result;
}

plant("convolution", ["Conv2D"], {
  "dX-unflipped": (layer, step, dy, n, theta, dtheta) => {
    KINDS.Conv2D.backward(layer, step, dy, n, theta, dtheta);
    const reversed = reversedKernel(layer, theta);
    return KINDS.Conv2D.backward(layer, step, dy, n, reversed, new Float64Array(theta.length));
  },
  "dW-flipped": altered(({ dtheta }, layer) => dtheta.set(reversedKernel(layer, dtheta))),
  // Every window writes over what the one before it left.
  "col2im-assign": altered(({ dx }, layer, step, dy, n, theta) => {
    const { input, output, W } = layer;
    const [nIn, nOut] = [input[2], output[2]];
    dx.fill(0);
    for (let s = 0; s < n; s++) {
      eachWindowCell(layer, (cell, element, place) => {
        const g = dy.subarray(s * sizeOf(output) + place, s * sizeOf(output) + place + nOut);
        for (let c = 0; c < nIn; c++) {
          const row = W.start + element + c * nOut;
          dx[s * sizeOf(input) + cell + c] = g.reduce((sum, v, f) => sum + v * theta[row + f], 0);
        }
      });
    }
  }),
  "stride-ignored": (layer, ...rest) => KINDS.Conv2D.backward({ ...layer, stride: [1, 1] }, ...rest),
  "crop-from-0": (layer, step, dy, n, theta, dtheta) => {
    KINDS.Conv2D.backward(layer, step, dy, n, theta, dtheta);
    return KINDS.Conv2D.backward({ ...layer, origin: [0, 0] }, step, dy, n, theta, new Float64Array(theta.length));
  },
  "pad-end": (layer, ...rest) => KINDS.Conv2D.backward({ ...layer, origin: [0, 0] }, ...rest),
  "channels-swapped": altered(({ dtheta }, { W }) => {
    const [right, nIn] = [part(dtheta, W).slice(), W.shape[2]];
    part(dtheta, W).forEach((_, i, dW) => {
      const [c, f] = [Math.floor(i / nIn) % nIn, i % nIn];
      dW[i] = right[i - c * nIn - f + f * nIn + c];
    });
  }),
  "dW-per-position": altered(({ dtheta }, { W, output }) =>
    scaled(part(dtheta, W), 1 / (output[0] * output[1]))),
  "db-scalar": MISTAKES["dense/db-scalar"].backward,
});

// Calls use(cell of x, cell of y, window) for every cell of every window; of `window`: whether the cell isWinner, the
// first of the largest, or isFirst; its value; the number of cells; the side of a whole window; the largest value most.
function eachPooledCell(layer, x, n, use) {
  const { input, output, kernel } = layer;
  const channels = input[2];
  for (let s = 0; s < n; s++) {
    eachPoolingWindow(layer, (place, top, bottom, left, right) => {
      const cells = (bottom - top) * (right - left);
      for (let c = 0; c < channels; c++) {
        const winner = firstMaximum(x, s * sizeOf(input), input, c, top, bottom, left, right);
        for (let r = top; r < bottom; r++) {
          for (let q = left; q < right; q++) {
            const cell = s * sizeOf(input) + (r * input[1] + q) * channels + c;
            use(cell, s * sizeOf(output) + place * channels + c, {
              isWinner: cell === winner, isFirst: r === top && q === left, cells, value: x[cell], most: x[winner],
              side: kernel[0], isCut: cells < sizeOf(kernel),
            });
          }
        }
      }
    });
  }
}

// dx of pooling where the part share(window) of dy goes to each cell.
const sharedOut = (share, windowsOf = (layer) => layer) => (layer, { x }, dy, n) => {
  const dx = new Float64Array(x.length);
  eachPooledCell(windowsOf(layer), x, n, (cell, place, window) => (dx[cell] += dy[place] * share(window)));
  return dx;
};

// The same without adding: a later window writes over what an earlier one left.
const writtenOut = (share) => (layer, { x }, dy, n) => {
  const dx = new Float64Array(x.length);
  eachPooledCell(layer, x, n, (cell, place, window) => {
    if (share(window)) dx[cell] = dy[place] * share(window);
  });
  return dx;
};

const ofWinner = ({ isWinner }) => Number(isWinner);

plant("max-pool", ["MaxPool2D"], {
  assign: writtenOut(ofWinner),
  all: sharedOut(() => 1),
  value: sharedOut(({ isWinner, value }) => (isWinner ? value : 0)),
  "first-cell": sharedOut(({ isFirst }) => Number(isFirst)),
  average: sharedOut(({ cells }) => 1 / cells),
  "zero-padding-wins": sharedOut(({ isWinner, isCut, most }) => Number(isWinner && !(isCut && most < 0))),
  "window-step": sharedOut(ofWinner, (layer) => ({ ...layer, stride: layer.kernel })),
  "shared-mask": (layer, { x }, dy, n) => {
    const won = new Uint8Array(x.length);
    const dx = new Float64Array(x.length);
    eachPooledCell(layer, x, n, (cell, place, { isWinner }) => (won[cell] ||= isWinner));
    eachPooledCell(layer, x, n, (cell, place) => {
      if (won[cell]) dx[cell] = dy[place];
    });
    return dx;
  },
});
plant("average-pool", ["AveragePool2D"], {
  undivided: sharedOut(() => 1),
  "one-k": sharedOut(({ side }) => 1 / side),
  assign: writtenOut(({ cells }) => 1 / cells),
  "top-left": sharedOut(({ isFirst, cells }) => (isFirst ? 1 / cells : 0)),
});

// dx[sample, r, q, c] as the sum of dy over the places that places(r, q) gives: [[row, column, weight], ...].
const gathered = (places) => (layer, { x }, dy, n) => {
  const { input: [height, width, channels], output } = layer;
  const dx = new Float64Array(x.length);
  for (let r = 0; r < height; r++) {
    for (let q = 0; q < width; q++) {
      for (const [row, column, weight] of places(layer, r, q)) {
        for (let s = 0; s < n; s++) {
          const from = s * sizeOf(output) + (row * output[1] + column) * channels;
          const to = ((s * height + r) * width + q) * channels;
          for (let c = 0; c < channels; c++) dx[to + c] += weight * dy[from + c];
        }
      }
    }
  }
  return dx;
};

const upTo = (n) => Array.from({ length: n }, (_, i) => i);

plant("nearest-upsampling", ["nearest UpSample2D"], {
  "block-mean": altered(({ dx }, { factor }) => scaled(dx, 1 / (factor[0] * factor[1]))),
  "stride-pick": gathered(({ factor }, r, q) => [[r * factor[0], q * factor[1], 1]]),
  "one-axis-sum": gathered(({ factor: [f, g] }, r, q) => upTo(f).map((i) => [r * f + i, q * g, 1])),
  "reshape-order": gathered(({ factor: [f, g], input }, r, q) =>
    upTo(f).flatMap((i) => upTo(g).map((j) => [i * input[0] + r, j * input[1] + q, 1]))),
});

// dx = Rᵀ dy C for other weights R and C than those of the forward pass: weightsOf(n_out, n_in) of each axis.
const resampledBy = (weightsOf) => (layer, step, dy, n) => {
  const dx = new Float64Array(step.x.length);
  const [rows, columns] = [0, 1].map((k) => weightsOf(layer.output[k], layer.input[k]));
  eachResampledPair(layer, rows, columns, n, (cell, place, weight) => (dx[cell] += weight * dy[place]));
  return dx;
};

// [[input, weight], ...] at each position along an axis of n values; `keeps`: whether the edge's value goes on beyond.
const weightsAt = (positions, n, keeps = true) => positions.map((position) => {
  const within = Math.min(Math.max(position, 0), n - 1);
  if (!keeps && within !== position) return [];
  const low = Math.floor(within);
  return [[low, 1 - (within - low)], [Math.min(low + 1, n - 1), within - low]];
});
const halfCentres = (nOut, nIn) => upTo(nOut).map((i) => (i + 0.5) * (nIn / nOut) - 0.5);

plant("bilinear-upsampling", ["bilinear UpSample2D"], {
  "bilinear-as-nearest": (layer, step, dy, n) =>
    KINDS.UpSample2D.backward({ ...layer, mode: "nearest" }, step, dy, n),
  // dy resized to x's size: the weights of each input over the outputs, turned around
  "bilinear-forward": resampledBy((nOut, nIn) => {
    const found = upTo(nOut).map(() => []);
    weightsAt(halfCentres(nIn, nOut), nOut).forEach((pairs, i) => pairs.forEach(([o, w]) => found[o].push([i, w])));
    return found;
  }),
  "align-corners": resampledBy((nOut, nIn) =>
    weightsAt(upTo(nOut).map((i) => i * ((nIn - 1) / Math.max(nOut - 1, 1))), nIn)),
  "border-lost": resampledBy((nOut, nIn) => weightsAt(halfCentres(nOut, nIn), nIn, false)),
});

// dx = dy in another order of elements: from(h, w, c, [H, W, C]) is the place in a row of dy.
const reordered = (from) => ({ input }, { x }, dy) => {
  const [height, width, channels] = [...input, 1, 1];
  const size = sizeOf(input);
  return x.map((_, i) => {
    const place = i % size;
    const cell = Math.floor(place / channels);
    const [h, w, c] = [Math.floor(cell / width), cell % width, place % channels];
    return dy[i - place + from(h, w, c, height, width, channels)];
  });
};

plant("flatten", ["Flatten"], {
  "order-F": reordered((h, w, c, height, width) => h + height * (w + width * c)),
  "axes-swapped": reordered((h, w, c, height, width, channels) => (w * height + h) * channels + c),
});
