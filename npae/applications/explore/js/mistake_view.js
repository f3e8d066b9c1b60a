// "Plant a mistake": a wrong backward pass, and which comparison with a finite difference it fails.

function mistakePanel(lab) {
  const offered = offeredMistakes(lab.network, lab.app.data.mistakes);
  const options = [["", "none: the right gradients"], ...offered.map(({ layer, record }, i) =>
    [String(i), `${layer}: ${record.name}`])];
  const about = element("p", { class: "note" });
  const body = element("tbody");
  const verdict = element("p", { "aria-live": "polite" });
  const comparisons = scrolling("Comparisons", ["gradient", "backpropagated", "difference", "error", ""], body);
  const clear = () => {
    body.replaceChildren();
    comparisons.hidden = true;
    verdict.textContent = "";
  };
  const pick = choice("Mistake", options, "", (value) => {
    const found = value === "" ? null : offered[Number(value)];
    lab.planted = found;
    about.textContent = found ? `${found.record.formula}. Hint: ${found.record.hint}` : "";
    lab.update();
    if (found && !lab.isMistaken) {
      about.textContent += " With these samples it makes no difference: choose others, or more of them.";
    }
    check();
  });
  const check = () => {
    body.replaceChildren(...blocksOf(lab.network).map((block) =>
      checkRow(checkBlock(lab.network, lab.now, lab.dtheta, block))));
    comparisons.hidden = false;
    const wrong = body.querySelectorAll(".wrong").length;
    verdict.textContent = wrong ? `${wrong} of ${body.children.length} gradients are wrong.`
      : `All ${body.children.length} gradients agree with finite differences.`;
  };
  lab.on(clear);
  clear();
  offered.forEach(({ layer, key }, i) => (pick.select.options[i + 1].dataset.key = `${layer} ${key}`));
  return panel("Plant a mistake", row(pick.node, button("check every gradient", check)), about, verdict,
    comparisons,
    element("p", { class: "note" }, "Each gradient is compared along one random direction v: ⟨dW, v⟩ beside "
      + "[L(W + hv) − L(W − hv)] / 2h; the error is relative to the larger of "
      + "the gradient's length and the difference."));
}

function checkRow({ name, analytic, numeric, error, kinks, isRight }) {
  const verdict = isRight ? "✓ right" : kinks.length ? "? kink" : "✗ wrong";
  return element("tr", { class: isRight ? "right" : kinks.length ? "unsure" : "wrong" },
    element("th", { scope: "row" }, `d ${name}`),
    ...[shown(analytic), shown(numeric), shown(error), verdict].map((text) => element("td", {}, text)));
}
