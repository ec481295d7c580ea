// Attaches the behaviours named in data-cl to their elements: once each, on load and after every swap.
import * as autosize from "./behaviours/autosize.js";
import * as composer from "./behaviours/composer.js";
import * as dialog from "./behaviours/dialog.js";
import * as editor from "./behaviours/editor.js";
import * as hotkeys from "./behaviours/hotkeys.js";
import * as keepScroll from "./behaviours/keep-scroll.js";
import * as live from "./behaviours/live.js";
import * as localTime from "./behaviours/local-time.js";
import * as palette from "./behaviours/palette.js";
import * as panel from "./behaviours/panel.js";
import * as saveKey from "./behaviours/save-key.js";
import * as theme from "./behaviours/theme.js";
import * as tidy from "./behaviours/tidy.js";
import "./guard.js";
import "./keep-focus.js";
import "./zone.js";

const behaviours = { autosize, composer, dialog, editor, hotkeys, "keep-scroll": keepScroll, live, "local-time": localTime, palette, panel, "save-key": saveKey, theme, tidy };
const attached = new WeakMap();

function attach(root) {
  const marked = [...root.querySelectorAll("[data-cl]")];
  if (root.matches?.("[data-cl]")) marked.push(root);
  for (const element of marked) {
    const known = attached.get(element) ?? new Set();
    attached.set(element, known);
    for (const name of element.dataset.cl.split(" ")) {
      if (!known.has(name)) behaviours[name].connect(element);
      known.add(name);
    }
  }
}

attach(document);
document.addEventListener("htmx:after:settle", (event) => attach(event.target instanceof Element ? event.target : document));
