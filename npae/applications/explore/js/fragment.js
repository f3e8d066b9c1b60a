// The state in the address: everything after #, so that a view can be kept and sent.

function writeFragment({ view, sample, axes, z, base, label }, { isOwnCode, isOwnLabel }) {
  const parts = new URLSearchParams({ view, sample });
  if (axes) parts.set("axes", axes.join(","));
  if (!isOwnCode) parts.set("z", Array.from(z, (v) => Number(v.toPrecision(5))).join(","));
  if (!isOwnCode && base === null) parts.set("base", "none");
  if (!isOwnLabel) parts.set("label", label);
  try {
    history.replaceState(null, "", `#${parts}`);
  } catch {
    // A page within a page may have no address of its own.
  }
}

const isIndex = (value, n) => Number.isInteger(value) && value >= 0 && value < n;

// What the address says, where it makes sense for this model; anything else is left as it is.
function readFragment(app) {
  const parts = new URLSearchParams(location.hash.slice(1));
  const found = {};
  if (["explorer", "microscope"].includes(parts.get("view"))) found.view = parts.get("view");
  if (parts.has("sample") && isIndex(Number(parts.get("sample")), app.n)) found.sample = Number(parts.get("sample"));
  const axes = (parts.get("axes") || "").split(",").map(Number);
  if (parts.has("axes") && axes.length === 2 && axes.every((i) => isIndex(i, app.codeSize))) found.axes = axes;
  const z = (parts.get("z") || "").split(",").map(Number);
  if (parts.has("z") && z.length === app.codeSize && z.every(Number.isFinite)) found.z = z;
  if (parts.get("base") === "none") found.base = null;
  const { nLabels } = app.network;
  if (parts.has("label") && isIndex(Number(parts.get("label")), nLabels)) found.label = Number(parts.get("label"));
  return found;
}

function keepFragment(app) {
  let waiting = null;
  const write = () => {
    clearTimeout(waiting);
    const { z, base, sample, label } = app.state;
    const isOwnCode = base !== null && base === sample && z.every((v, i) => v === app.codeAt(base)[i]);
    const isOwnLabel = label === null || label === app.conditionAt(sample)[0];
    writeFragment(app.state, { isOwnCode, isOwnLabel });
  };
  const writeSoon = () => {
    clearTimeout(waiting);
    waiting = setTimeout(write, 250);
  };
  for (const event of ["sample", "code", "axes", "view"]) app.on(event, writeSoon);
  addEventListener("pagehide", write);
}
