// window.npae: the network's functions on plain arrays of numbers, one sample after the other, in C order.

function arrayOf(values, size, name) {
  const array = Float64Array.from(values);
  if (!array.length || array.length % size) {
    throw new RangeError(`${name} has ${array.length} values; give a multiple of ${size}`);
  }
  return array;
}

// The labels of n samples of a conditional network: whole numbers, places among the labels that it knows.
function labelsOf({ nLabels }, labels, n) {
  if (!nLabels) return null;
  const isPlace = (c) => Number.isInteger(c) && c >= 0 && c < nLabels;
  if (!labels || labels.length !== n || !Array.from(labels).every(isPlace)) {
    throw new RangeError(`a conditional network decodes a code with its label; give labels, a whole number from 0 to `
      + `${nLabels - 1} for each of ${n} samples`);
  }
  return labels;
}

// Options of decode: labels of a conditional network. Of loss and gradient also: target (x itself), eps of a
// variational code (0), and of gradient mistake, "kind/name", and layer, the name of the layer it is planted in.
function makeApi(network) {
  const input = (x) => arrayOf(x, network.inputSize, "x");
  const options = (x, { target, eps, labels } = {}) => ({
    ...(target && { target: input(target) }),
    ...(eps && { eps: arrayOf(eps, network.codeSize, "eps") }),
    labels: labelsOf(network, labels, x.length / network.inputSize),
  });
  return {
    encode: (x) => Array.from(network.encode(input(x))),
    decode(codes, { labels } = {}) {
      const z = arrayOf(codes, network.codeSize, "z");
      return Array.from(network.decode(z, labelsOf(network, labels, z.length / network.codeSize)));
    },
    loss: (x, more) => Array.from(network.forward(input(x), options(x, more)).losses),
    gradient(x, more = {}) {
      const pass = network.forward(input(x), options(x, more));
      const planted = more.mistake ? plantedMistake(network, more.layer, more.mistake) : null;
      return Array.from(network.backward(pass, { planted }));
    },
  };
}
