// The network: layers applied one after the other, the loss, and the backward pass.

class Network {
  constructor({ encoder, code, decoder, loss, weight_decay, decayed }, theta) {
    Object.assign(this, { theta, loss, decayed, weightDecay: weight_decay });
    this.encoder = [...encoder, ...code];
    this.decoder = decoder;
    this.layers = [...this.encoder, ...decoder];
    this.inputSize = sizeOf(this.layers[0].input);
    this.codeSize = sizeOf(decoder[0].input);
    this.nLabels = (decoder.find(({ type }) => type === "AppendLabel") || { n_labels: 0 }).n_labels;
  }

  // Runs some layers; returns the last y, and for each layer its x, y and memo. ε are those of a variational code;
  // `labels` are places among the labels of a conditional network, one for each sample.
  run(layers, x, { n, theta = this.theta, eps = null, labels = null }) {
    const steps = [];
    for (const layer of layers) {
      const memo = eps && layer.type === "Reparameterization" ? { eps } : {};
      if (layer.type === "AppendLabel") memo.labels = labels;
      const y = KINDS[layer.type].forward(layer, x, n, theta, memo);
      steps.push({ layer, x, y, memo });
      x = y;
    }
    return { y: x, steps };
  }

  encode(x) {
    return this.run(this.encoder, x, { n: x.length / this.inputSize }).y;
  }

  decode(z, labels = null) {
    return this.visible(this.run(this.decoder, z, { n: z.length / this.codeSize, labels }).y);
  }

  // The decoder's output as people see it: σ(y) where y is a logit.
  visible(y) {
    return this.loss.name === "bce" ? y.map(sigmoid) : y;
  }

  // The forward pass with the loss of each sample, penalties included.
  forward(x, { target = x, eps = null, labels = null, theta = this.theta } = {}) {
    const n = x.length / this.inputSize;
    const { y, steps } = this.run(this.layers, x, { n, theta, eps, labels });
    const losses = lossesOf(this.loss, y, target, n);
    for (const { memo } of steps) if (memo.penalty) memo.penalty.forEach((p, s) => (losses[s] += p));
    return { n, x, y, steps, target, losses };
  }

  // Mean loss over the batch, with weight decay ½ λ Σ W².
  total(pass, theta = this.theta) {
    let decay = 0;
    if (this.weightDecay) for (let i = 0; i < this.decayed; i++) decay += theta[i] * theta[i];
    return pass.losses.reduce((a, b) => a + b, 0) / pass.n + 0.5 * this.weightDecay * decay;
  }

  // The backward pass: dθ, and dy and dx of each layer. `planted` is a mistake in one layer, in the loss or in
  // weight decay, or null.
  backward(pass, { theta = this.theta, planted = null } = {}) {
    const dtheta = new Float64Array(theta.length);
    let dy = lossGradient(this.loss, pass.y, pass.target, pass.n);
    if (planted && planted.layer === "loss") dy = planted.mistake.loss(this.loss, pass, dy);
    for (const step of [...pass.steps].reverse()) {
      const { layer } = step;
      step.dy = dy;
      dy = planted && planted.layer === layer.name
        ? planted.mistake.backward(layer, step, dy, pass.n, theta, dtheta)
        : KINDS[layer.type].backward(layer, step, dy, pass.n, theta, dtheta);
      step.dx = dy;
    }
    const decay = planted && planted.mistake.decay || ((g, price) => g + price);
    if (this.weightDecay) {
      for (let i = 0; i < this.decayed; i++) dtheta[i] = decay(dtheta[i], this.weightDecay * theta[i], pass.n);
    }
    return dtheta;
  }
}
