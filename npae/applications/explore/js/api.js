// window.npae: the network's functions on plain arrays of numbers, one sample after the other, in C order.

function arrayOf(values, size, name) {
  const array = Float64Array.from(values);
  if (!array.length || array.length % size) {
    throw new RangeError(`${name} has ${array.length} values; give a multiple of ${size}`);
  }
  return array;
}

// Options of loss and gradient: target (x itself), eps of a variational code (0), and of gradient also
// mistake, "kind/name", and layer, the name of the layer it is planted in.
function makeApi(network) {
  const input = (x) => arrayOf(x, network.inputSize, "x");
  const options = ({ target, eps } = {}) => ({
    ...(target && { target: input(target) }),
    ...(eps && { eps: arrayOf(eps, network.codeSize, "eps") }),
  });
  return {
    encode: (x) => Array.from(network.encode(input(x))),
    decode: (z) => Array.from(network.decode(arrayOf(z, network.codeSize, "z"))),
    loss: (x, more) => Array.from(network.forward(input(x), options(more)).losses),
    gradient(x, more = {}) {
      const pass = network.forward(input(x), options(more));
      const planted = more.mistake ? plantedMistake(network, more.layer, more.mistake) : null;
      return Array.from(network.backward(pass, { planted }));
    },
  };
}
