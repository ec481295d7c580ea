// Keys: an element says which one is its own in data-cl-key; j and k walk through the rows.
const typing = (element) => element.matches("input:not([type=radio]), textarea, select, [contenteditable]");
let leader = "";

function press(element) {
  if (element.matches("input[type=search]")) return element.focus();
  element.click();
  if (element.matches("[type=radio]")) element.form.elements.content.focus();
}

function walk(step) {
  const rows = [...document.querySelectorAll("[data-cl-row]")];
  const selected = document.querySelector("[aria-current=true] [data-cl-row]");
  const here = rows.indexOf(rows.includes(document.activeElement) ? document.activeElement : selected);
  rows[Math.min(Math.max(here + step, 0), rows.length - 1)]?.focus();
}

function send(event) {
  const field = document.getElementById("composer-text");
  if (field?.value.trim()) field.form.requestSubmit();
  else document.querySelector('[data-cl-key="mod+enter"]:not(:disabled)')?.click();
  event.preventDefault();
}

function go(key) {
  const place = { i: 1, h: 0 }[key];
  if (place !== undefined) document.querySelectorAll(".cl-places a")[place]?.click();
}

export function connect() {
  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) return send(event);
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Escape" && typing(event.target)) return event.target.blur();
    if (typing(event.target)) return;
    if (leader === "g") { leader = ""; return go(event.key); }
    leader = event.key === "g" ? "g" : "";
    if (event.key === "j" || event.key === "k") return walk(event.key === "j" ? 1 : -1);
    const own = document.querySelector(`[data-cl-key="${CSS.escape(event.key)}"]:not(:disabled)`);
    if (!own || own.closest("[hidden]")) return;
    event.preventDefault();
    press(own);
  });
}
