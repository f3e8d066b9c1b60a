// What the theme leaves out for readers who use a keyboard or a screen reader.

// Blocks that scroll sideways can be reached with the keyboard.
function reachBlocks() {
  for (const block of document.querySelectorAll("pre, .equation, .table-wrapper")) {
    if (block.scrollWidth > block.clientWidth) block.tabIndex = 0;
    else block.removeAttribute("tabindex");
  }
}

function name(selector, label, role) {
  for (const element of document.querySelectorAll(selector)) {
    element.setAttribute("aria-label", label(element));
    if (role) element.setAttribute("role", role);
  }
}

document.addEventListener("DOMContentLoaded", () => {
  name(".sidebar-drawer", () => "Pages");
  name(".toc-drawer", () => "On this page");
  name(".content-icon-container", () => "This page", "navigation");
  name(".sphx-glr-thumbcontainer a", (link) => link.textContent.trim()); // its text is laid over by the picture
  for (const header of document.querySelectorAll("th")) {
    if (!header.textContent.trim()) header.replaceWith(document.createElement("td")); // it heads nothing
  }
  reachBlocks();
});
window.addEventListener("resize", reachBlocks);
