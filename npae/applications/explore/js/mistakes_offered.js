// Which mistakes a network offers: those of its layers that make a difference in it.

const isActivation = ({ type }) => ["Sigmoid", "Tanh"].includes(type);

// What a layer is called in MISTAKES; `before` is the layer before it, if there is one.
const typesOf = (layer, before) => [
  layer.type,
  ...(layer.is_tied ? ["tied Dense"] : []),
  ...(layer.mode ? [`${layer.mode} UpSample2D`] : []),
  ...(isActivation(layer) && before && before.type === "Dense" ? [`${layer.type} after Dense`] : []),
];

const isLarge = ({ kernel, factor }) => sizeOf(kernel || factor) > 1;
const isSquare = ({ W }) => W.shape[0] === W.shape[1] && W.shape[0] > 1;
const hasBiases = ({ b }) => b.shape[0] > 1;
const hasKl = ({ beta }) => beta > 0;
const overlaps = ({ kernel, stride, output }) => kernel.some((k, axis) => k > stride[axis] && output[axis] > 1);
const isPadded = ({ origin }) => origin.some((before) => before > 0);
const isWhole = ({ input, output, factor }) => factor.every((f, axis) => output[axis] === f * input[axis]);
const sides = ({ input }) => input.filter((n) => n > 1).length;

// Where a mistake would be none, or could not be computed: what has to hold of the layer; the others are always some.
const APPLIES = {
  "dense/no-transpose": isSquare,
  "dense/dW-transposed": isSquare,
  "dense/db-scalar": hasBiases,
  "tied/untransposed": isSquare,
  "leaky-relu/no-leak": ({ slope }) => slope !== 0,
  "leaky-relu/mask-on-g": ({ slope }) => slope !== 1,
  "convolution/dX-unflipped": isLarge,
  "convolution/dW-flipped": isLarge,
  "convolution/col2im-assign": overlaps,
  "convolution/stride-ignored": ({ stride, output }) => stride.some((s, axis) => s > 1 && output[axis] > 1),
  "convolution/crop-from-0": isPadded,
  "convolution/pad-end": isPadded,
  "convolution/channels-swapped": ({ W }) => W.shape[2] === W.shape[3] && W.shape[2] > 1,
  "convolution/dW-per-position": ({ output }) => output[0] * output[1] > 1,
  "convolution/db-scalar": hasBiases,
  "max-pool/assign": overlaps,
  "max-pool/all": isLarge,
  "max-pool/first-cell": isLarge,
  "max-pool/average": isLarge,
  "max-pool/zero-padding-wins": isPadded,
  "max-pool/window-step": ({ kernel, stride, output }) =>
    kernel.some((k, axis) => k !== stride[axis] && output[axis] > 1),
  "max-pool/shared-mask": overlaps,
  "average-pool/undivided": isLarge,
  "average-pool/one-k": ({ kernel }) => kernel[1] > 1,
  "average-pool/assign": overlaps,
  "average-pool/top-left": isLarge,
  "nearest-upsampling/block-mean": isLarge,
  "nearest-upsampling/stride-pick": isLarge,
  "nearest-upsampling/one-axis-sum": (layer) => isWhole(layer) && layer.factor[1] > 1,
  "nearest-upsampling/reshape-order": (layer) =>
    isWhole(layer) && layer.factor.some((f, axis) => f > 1 && layer.input[axis] > 1),
  "bilinear-upsampling/bilinear-as-nearest": isLarge,
  "bilinear-upsampling/bilinear-forward": (layer) => isWhole(layer) && isLarge(layer),
  "bilinear-upsampling/align-corners": (layer) =>
    isWhole(layer) && layer.factor.some((f, axis) => f > 1 && layer.input[axis] > 1),
  "bilinear-upsampling/border-lost": (layer) => isWhole(layer) && isLarge(layer),
  "reparameterization/KL-missing": hasKl,
  "reparameterization/KL-sign": hasKl,
  "reparameterization/KL-no-half": hasKl,
  "reparameterization/KL-no-one": hasKl,
  "reparameterization/KL-latent-mean": (layer) => hasKl(layer) && layer.output[0] > 1,
  "reparameterization/KL-batch-sum": hasKl,
  "reparameterization/β-on-all": ({ beta }) => beta !== 1,
  "reparameterization/logσ-confusion": hasKl,
  "flatten/order-F": (layer) => sides(layer) > 1,
  "flatten/axes-swapped": ({ input }) => input[0] > 1 && input[1] > 1,
};

// [{key, layer, record, mistake}], where a mistake in dx alone needs a layer with parameters before it.
function offeredMistakes(network, library) {
  const offered = [];
  const add = (layer, types, hasEarlier) => {
    for (const record of library) {
      const key = `${record.kind}/${record.name}`;
      const mistake = MISTAKES[key];
      if (!mistake || !mistake.types.some((type) => types.includes(type))) continue;
      const isInDxAlone = !parametersOf(layer).length || record.blocks.every((block) => block === "x");
      if ((isInDxAlone && !hasEarlier) || (APPLIES[key] && !APPLIES[key](layer))) continue;
      offered.push({ key, layer: layer.name, record, mistake });
    }
  };
  let hasEarlier = false;
  network.layers.forEach((layer, i) => {
    add(layer, typesOf(layer, network.layers[i - 1]), hasEarlier);
    hasEarlier ||= parametersOf(layer).length > 0;
  });
  add({ name: "loss" }, [`loss ${network.loss.name}`], true);
  if (network.weightDecay) add({ name: "weight decay" }, ["weight decay"], true);
  return offered;
}

function plantedMistake(network, layer, key) {
  const mistake = MISTAKES[key];
  const known = ["loss", "weight decay"].includes(layer) || network.layers.some(({ name }) => name === layer);
  if (!mistake || !known) throw new RangeError(`there is no mistake ${key} for the layer ${layer}`);
  return { layer, key, mistake };
}
