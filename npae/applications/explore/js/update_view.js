// One step of gradient descent on the batch: θ − η dθ, with the loss before and after, and undo.

function updatePanel(lab) {
  const rate = element("input", { type: "number", min: 0, step: "any", value: 0.01 });
  const text = element("p", { "aria-live": "polite" });
  const undo = button("undo", () => {
    lab.theta = lab.undo.pop();
    lab.update();
    text.textContent = `Undone: L = ${shown(lab.loss)}.`;
    undo.disabled = !lab.undo.length;
  }, { disabled: true });
  const step = () => {
    const before = lab.loss;
    const eta = Number(rate.value);
    if (!(eta >= 0)) {
      text.textContent = "Give a learning rate of at least 0.";
      return;
    }
    lab.undo.push(lab.theta);
    lab.theta = lab.theta.map((v, i) => v - eta * lab.dtheta[i]);
    lab.update();
    undo.disabled = false;
    const way = lab.loss < before ? "lower" : lab.loss > before ? "higher: a smaller rate may help" : "the same";
    text.textContent = `L before ${before.toPrecision(6)}, after ${lab.loss.toPrecision(6)}: ${way}.`;
  };
  return panel("Update", row(element("label", {}, "Learning rate ", rate), button("one SGD step", step), undo), text,
    element("p", { class: "note" }, "The step changes the microscope's weights alone, not those of the explorer."));
}
