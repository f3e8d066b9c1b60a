// Elements of the page. Texts are always text nodes: nothing in the data can become markup.

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

const button = (text, onclick, attributes = {}) => element("button", { type: "button", onclick, ...attributes }, text);

function panel(title, ...children) {
  return element("section", { class: "panel" }, element("h2", {}, title), ...children);
}

const row = (...children) => element("div", { class: "row" }, ...children);

// A table that scrolls within itself, with the names of its columns.
function scrolling(label, names, body) {
  const head = names.map((name) => (name ? element("th", { scope: "col" }, name) : element("td")));
  return element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": label },
    element("table", {}, element("thead", {}, element("tr", {}, ...head)), body));
}

// A number as people read it: three digits that count.
function shown(value) {
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 1e-3 && size < 1e5 ? String(Number(value.toPrecision(3))) : value.toExponential(2);
  return text.replace("-", "−");
}

// A slider with its label and its value; set(value) moves it without calling oninput.
function slider(label, { min, max, step, value, format = shown }, oninput) {
  const output = element("output", {}, format(value));
  const input = element("input",
    { type: "range", min, max, step, value, "aria-label": label, "aria-valuetext": format(value) });
  const node = element("label", { class: "slider" }, element("span", {}, label), input, output);
  const tell = (text) => {
    output.textContent = text;
    input.setAttribute("aria-valuetext", text);
  };
  const set = (next) => {
    const text = format(next);
    if (output.textContent === text) return; // what has not changed is not moved
    input.value = next;
    tell(text);
  };
  input.addEventListener("input", () => {
    tell(format(Number(input.value)));
    oninput(Number(input.value));
  });
  return { node, input, set };
}

function numberField(label, { min, max, value }, onchange) {
  const input = element("input", { type: "number", min, max, value, step: 1, "aria-label": label });
  input.addEventListener("change", () => {
    const next = Math.min(Math.max(Math.round(Number(input.value)) || 0, min), max);
    input.value = next;
    onchange(next);
  });
  return { node: element("label", {}, label, " ", input), input };
}

// `options` are pairs [value, text].
function choice(label, options, value, onchange) {
  const select = element("select", { "aria-label": label }, ...options.map(([key, text]) =>
    element("option", { value: key, selected: key === value }, text)));
  select.addEventListener("change", () => onchange(select.value));
  return { node: element("label", {}, label, " ", select), select };
}

function checkbox(label, checked, onchange) {
  const input = element("input", { type: "checkbox", checked });
  input.addEventListener("change", () => onchange(input.checked));
  return { node: element("label", {}, input, " ", label), input };
}

// Tells screen readers the last of several texts that come in quick succession.
const announce = (() => {
  let waiting = null;
  return (text) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => (document.getElementById("live").textContent = text), 600);
  };
})();
