// Arrays of the page's data: base64 of little-endian numbers -> Float64Array.

function bytesOf(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

// IEEE 754 half precision: 1 bit sign, 5 bits exponent, 10 bits fraction.
function halfToNumber(h) {
  const sign = h & 0x8000 ? -1 : 1;
  const exponent = (h >> 10) & 31;
  const fraction = h & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

// {dtype, data} as Python writes it; bytes stand for the numbers 0, 1/255, ..., 1.
function numbersOf({ dtype, data }) {
  const { buffer } = bytesOf(data);
  if (dtype === "float32") return Float64Array.from(new Float32Array(buffer));
  if (dtype === "float64") return new Float64Array(buffer);
  if (dtype === "float16") return Float64Array.from(new Uint16Array(buffer), halfToNumber);
  if (dtype === "uint8") return Float64Array.from(new Uint8Array(buffer), (v) => v / 255);
  throw new Error(`unknown dtype ${dtype}`);
}

function sizeOf(shape) {
  return shape.reduce((product, n) => product * n, 1);
}

function largest(values) {
  let most = 0;
  for (const v of values) if (Math.abs(v) > most) most = Math.abs(v);
  return most;
}
