// Which mistakes a network offers: those of its layers that make a difference in it.

const typesOf = (layer) => [
  layer.type,
  ...(layer.is_tied ? ["tied Dense"] : []),
  ...(layer.mode ? [`${layer.mode} UpSample2D`] : []),
];

// Mistakes that are none where a batch has one sample.
const NEED_A_BATCH = ["double-average", "db-mean", "last-sample", "return-in-loop", "KL-batch-sum", "no-average"];

// Whether it would compute the right gradient here: one cell a window, one value a code, no KL term.
function isHarmless(name, layer) {
  if (name.startsWith("KL-") && name !== "KL-only") {
    return !layer.beta || (name === "KL-latent-mean" && layer.output[0] === 1);
  }
  if (name === "logσ-confusion") return !layer.beta;
  const size = layer.kernel || layer.factor;
  if (["dX-unflipped", "dW-flipped"].includes(name) || layer.type.includes("Pool") || layer.factor) {
    if (size && sizeOf(size) === 1) return true;
    if (name === "one-k") return size[1] === 1;
  }
  if (name === "dW-per-position") return layer.output[0] * layer.output[1] === 1;
  if (name === "db-scalar") return (layer.b.shape[0] === 1);
  return false;
}

// [{key, layer, record, mistake}], where a mistake in dx alone needs a layer with parameters before it.
function offeredMistakes(network, library) {
  const offered = [];
  const add = (layer, types, hasEarlier) => {
    for (const record of library) {
      const key = `${record.kind}/${record.name}`;
      const mistake = MISTAKES[key];
      if (!mistake || !mistake.types.some((type) => types.includes(type))) continue;
      const isInDxAlone = !["Reparameterization"].includes(layer.type) && record.blocks.every((b) => b === "x");
      if (isInDxAlone && !hasEarlier) continue;
      if (layer.type && isHarmless(record.name, layer)) continue;
      offered.push({ key, layer: layer.name, record, mistake });
    }
  };
  let hasEarlier = false;
  for (const layer of network.layers) {
    add(layer, typesOf(layer), hasEarlier);
    hasEarlier ||= Boolean(layer.b || layer.mu);
  }
  add({ name: "loss" }, [`loss ${network.loss.name}`], true);
  return offered;
}

function plantedMistake(network, layer, key) {
  const mistake = MISTAKES[key];
  const known = layer === "loss" || network.layers.some(({ name }) => name === layer);
  if (!mistake || !known) throw new RangeError(`there is no mistake ${key} for the layer ${layer}`);
  return { layer, key, mistake };
}
