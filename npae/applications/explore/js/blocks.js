// The row of blocks x → … → L, and the buttons that go through forward and backward pass one step at a time.

const sizeText = (shape) => shape.join("×");

function blocksRow(lab) {
  const { layers } = lab.network;
  const blocks = layers.map((layer, i) => button("", () => {
    lab.chosen = i;
    lab.emit();
  }));
  const loss = element("span", { class: "block" });
  const show = () => {
    blocks.forEach((block, i) => {
      const { name, type, output } = layers[i];
      const state = lab.isBackward(i) ? "dx known" : lab.isForward(i) ? "y known" : "waiting";
      block.replaceChildren(element("b", {}, type), element("span", {}, name), element("span", {}, sizeText(output)),
        element("span", { class: "state" }, state));
      block.className = `block ${state.replace(" ", "-")}`;
      block.setAttribute("aria-pressed", String(lab.chosen === i));
    });
    loss.textContent = lab.hasLoss() ? `L = ${shown(lab.loss)}` : "L";
  };
  lab.on(show);
  show();
  const arrow = () => element("span", { class: "arrow", "aria-hidden": "true" }, "→");
  return element("div", { class: "blocks", tabindex: 0, role: "region", "aria-label": "The network's layers" },
    element("span", { class: "block" }, `x ${sizeText(layers[0].input)}`), arrow(),
    ...blocks.flatMap((block) => [block, arrow()]), loss);
}

function stepsRow(lab) {
  const { layers } = lab.network;
  const text = element("p", { class: "note", "aria-live": "polite" });
  const describe = () => {
    const { position: p, last } = lab;
    if (p === 0) return "Nothing is computed yet.";
    if (p <= layers.length) return `Forward: ${layers[p - 1].name} has computed y from x.`;
    if (p === layers.length + 1) return `The loss is known: L = ${shown(lab.loss)}, and its gradient by the output.`;
    const name = layers[last - p].name;
    return p === last ? `Backward is complete with ${name}: every dW is known.`
      : `Backward: ${name} has computed dx from dy, and the gradients of its own parameters.`;
  };
  const go = (position) => {
    lab.position = Math.min(Math.max(position, 0), lab.last);
    if (lab.position > 0 && lab.position <= layers.length) lab.chosen = lab.position - 1;
    if (lab.position > layers.length + 1) lab.chosen = lab.last - lab.position;
    lab.emit();
  };
  const show = () => (text.textContent = describe());
  lab.on(show);
  show();
  return element("div", {}, row(button("start again", () => go(0)), button("step back", () => go(lab.position - 1)),
    button("step", () => go(lab.position + 1)), button("forward pass", () => go(layers.length + 1)),
    button("all", () => go(lab.last))), text);
}
