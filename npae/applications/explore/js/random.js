// Random numbers that depend on a seed alone, so that a page's state can be sent.

// mulberry32, by Tommy Ettinger: 32 bits of state.
function randomNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

// n numbers from N(0, 1) (Box & Muller 1958).
function normalNumbers(n, seed) {
  const uniform = randomNumbers(seed);
  return Float64Array.from({ length: n }, () =>
    Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()));
}
