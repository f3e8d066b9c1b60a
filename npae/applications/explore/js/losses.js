// Losses of each sample, summed over its elements, and their gradient by the output times `weight`.

const LOSSES = {
  bce: {
    value: (z, t) => Math.max(z, 0) - z * t + Math.log1p(Math.exp(-Math.abs(z))),
    slope: (z, t) => sigmoid(z) - t,
  },
  bce_on_probabilities: {
    value: (p, t, floor) => -t * Math.log(Math.max(p, floor)) - (1 - t) * Math.log(Math.max(1 - p, floor)),
    slope: (p, t, floor) => (1 - t) / Math.max(1 - p, floor) - t / Math.max(p, floor),
  },
  mse: {
    value: (y, t) => (y - t) ** 2,
    slope: (y, t) => 2 * (y - t),
  },
};

function lossesOf(loss, y, t, n) {
  const size = y.length / n;
  const sums = new Float64Array(n);
  y.forEach((v, i) => (sums[Math.floor(i / size)] += LOSSES[loss.name].value(v, t[i], loss.floor)));
  return sums;
}

function lossGradient(loss, y, t, n) {
  return y.map((v, i) => LOSSES[loss.name].slope(v, t[i], loss.floor) / n);
}
