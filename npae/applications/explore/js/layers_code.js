// Layers of the code: the Gaussian code of a variational network, the L1 penalty of a sparse one, and the label that a
// conditional one decodes it with.
// memo.penalty has one number for each sample, which is added to its loss.

// The two heads μ and log σ² are dense layers of the same input.
function headsOf({ input, output, mu, log_var }) {
  return [mu, log_var].map((head) => ({ input, output, W: head.W, b: head.b }));
}

KINDS.Reparameterization = {
  // z = μ + σ ε; penalty = β ½ Σ (μ² + σ² − 1 − log σ²). Outside training ε is 0, so z = μ.
  forward(layer, x, n, theta, memo) {
    const [mu, logVar] = headsOf(layer).map((head) => KINDS.Dense.forward(head, x, n, theta));
    const size = layer.output[0];
    const eps = memo.eps || new Float64Array(mu.length);
    const sigma = logVar.map((v) => Math.exp(0.5 * v));
    const penalty = new Float64Array(n);
    const z = mu.map((m, i) => m + sigma[i] * eps[i]);
    mu.forEach((m, i) => {
      penalty[Math.floor(i / size)] += layer.beta * 0.5 * (m * m + sigma[i] * sigma[i] - 1 - logVar[i]);
    });
    Object.assign(memo, { mu, logVar, sigma, eps, penalty });
    return z;
  },
  gradientByHeads(layer, { memo }, dz, n) {
    const { mu, sigma, eps } = memo;
    const weight = layer.beta / n;
    return {
      dmu: dz.map((g, i) => g + weight * mu[i]),
      dlogVar: dz.map((g, i) => g * 0.5 * sigma[i] * eps[i] + weight * 0.5 * (sigma[i] * sigma[i] - 1)),
    };
  },
  backward(layer, step, dz, n, theta, dtheta) {
    const { dmu, dlogVar } = KINDS.Reparameterization.gradientByHeads(layer, step, dz, n);
    return throughHeads(layer, step, dmu, dlogVar, n, theta, dtheta);
  },
};

function throughHeads(layer, step, dmu, dlogVar, n, theta, dtheta) {
  const [muHead, logVarHead] = headsOf(layer);
  const dx = KINDS.Dense.backward(muHead, step, dmu, n, theta, dtheta);
  const other = KINDS.Dense.backward(logVarHead, step, dlogVar, n, theta, dtheta);
  return dx.map((g, i) => g + other[i]);
}

KINDS.ActivityL1 = {
  forward(layer, x, n, theta, memo) {
    const size = x.length / n;
    memo.penalty = new Float64Array(n);
    x.forEach((v, i) => (memo.penalty[Math.floor(i / size)] += layer.strength * Math.abs(v)));
    return x;
  },
  backward: (layer, { x }, dy, n) => dy.map((g, i) => g + (layer.strength / n) * Math.sign(x[i])),
};

KINDS.AppendLabel = {
  // y = (x, e_c): the code followed by 1 at the place c of its label and 0 elsewhere.
  forward({ input, output }, x, n, theta, { labels }) {
    const y = new Float64Array(n * output[0]);
    for (let s = 0; s < n; s++) {
      y.set(x.subarray(s * input[0], (s + 1) * input[0]), s * output[0]);
      y[s * output[0] + input[0] + labels[s]] = 1;
    }
    return y;
  },
  backward({ input, output }, step, dy) {
    return step.x.map((_, i) => dy[Math.floor(i / input[0]) * output[0] + (i % input[0])]);
  },
};
