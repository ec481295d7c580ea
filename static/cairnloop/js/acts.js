// What can be done with a result: cite it where a reply is being written, open it, open it beside this page.
import { addSource } from "./sources.js";

const composer = () => document.querySelector("#composer-form:has([name=kind][value=reply]:checked)");
const citable = (option) => Boolean(option.dataset.clCites && composer());

/** Show the acts of the active result, each with the key that does it. */
export function offer(dialog, option) {
  const link = dialog.querySelector("a[data-cl-act=open]");
  if (!link || !option) return;
  const key = link.querySelector("kbd");
  const cites = citable(option);
  dialog.querySelector("[data-cl-act=cite]").hidden = !cites;
  link.href = option.dataset.clUrl;
  link.classList.toggle("cl-button--primary", !cites);
  key.textContent = cites ? key.dataset.clBeside : key.dataset.clAlone;
}

/** Enter cites where it can, else it opens; with Alt it opens, with Control or Command beside this page. */
export function act(dialog, option, { altKey, ctrlKey, metaKey }) {
  if (ctrlKey || metaKey) return window.open(option.dataset.clUrl, "_blank", "noopener");
  if (citable(option) && !altKey) return cite(dialog, option);
  location.assign(option.dataset.clUrl);
}

export function cite(dialog, option) {
  dialog.close();
  addSource(composer(), { id: option.dataset.clCites, title: option.dataset.clTitle });
  document.getElementById("composer-text").focus();
}
