// Reads the data, shows the page, and offers window.npae.

function views(app, made) {
  const buttons = Object.keys(made).map((name) =>
    button(made[name].title, () => show(name), { "aria-pressed": "false" }));
  const main = document.querySelector("main");
  const show = (name) => {
    app.state.view = name;
    Object.keys(made).forEach((other, i) => {
      buttons[i].setAttribute("aria-pressed", String(other === name));
      if (made[other].node) made[other].node.hidden = other !== name;
    });
    if (!made[name].node) main.append((made[name].node = made[name].make()));
    app.emit("view");
  };
  document.querySelector("nav").append(...buttons);
  show(app.state.view);
}

function start() {
  const data = JSON.parse(document.getElementById("data").textContent);
  const network = new Network(data.network, numbersOf(data.theta));
  window.npae = makeApi(network);
  const app = makeApp(data, network);
  const found = readFragment(app);
  if (found.sample !== undefined) app.select(found.sample);
  if (found.z) found.z = Float64Array.from(found.z);
  Object.assign(app.state, found);
  views(app, {
    explorer: { title: "Explorer", make: () => makeExplorer(app) },
    microscope: { title: "Backpropagation microscope", make: () => makeMicroscope(app) },
  });
  keepFragment(app);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => app.emit("theme"));
}

start();
