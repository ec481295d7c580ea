// Search on every page: opened by its key or a link marked for it, and driven by the keyboard alone.
import { act, cite, offer } from "../acts.js";
import { Results } from "../results.js";

const isOurs = (event) => (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k";

export function connect(dialog) {
  const form = dialog.querySelector("form");
  const input = form.elements.q;
  const results = new Results(dialog, input, (option) => offer(dialog, option));
  const trouble = (is) => { dialog.querySelector("[data-cl-trouble]").hidden = !is; };

  function toggle() {
    if (dialog.open) return dialog.close();
    document.querySelector("dialog[open]")?.close();
    dialog.showModal();
    input.select();
    offer(dialog, results.active);
  }

  function clear() {
    if (!input.value) return dialog.close();
    input.value = "";
    input.focus();
    form.requestSubmit(); // answered at once: there is nothing to look for
  }

  document.addEventListener("click", (event) => {
    const opens = event.target.closest("[data-cl-opens=palette]") && !(event.ctrlKey || event.metaKey || event.shiftKey);
    if (opens) event.preventDefault(), toggle();
  });
  document.addEventListener("keydown", (event) => isOurs(event) && (event.preventDefault(), toggle()));
  dialog.addEventListener("keydown", (event) => {
    if (isOurs(event) || event.isComposing) return;
    if (event.key === "Escape") return event.preventDefault(), clear();
    if (event.target !== input) return;
    if (results.move(event.key)) return event.preventDefault();
    if (event.key !== "Enter" || !results.active || !results.current) return; // the form is submitted
    event.preventDefault();
    act(dialog, results.active, event);
  });
  dialog.addEventListener("pointermove", ({ pointerType, target }) => {
    const option = target.closest("[role=option]:not([aria-selected=true])");
    if (option && pointerType === "mouse") results.activate(option);
  });
  dialog.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (event.target === dialog || event.target.closest("[data-cl-act=close]")) dialog.close();
    else if (event.target.closest("[data-cl-act=cite]")) cite(dialog, results.active);
    else if (option && option === results.active) act(dialog, option, event);
    else if (option) results.activate(option); // a finger's first tap shows, its second acts
  });
  form.addEventListener("htmx:after:swap", () => results.renew());
  form.addEventListener("htmx:before:response", (event) => {
    const ours = event.detail.ctx.response.raw.headers.has("HX-Region");
    trouble(!ours);
    if (!ours) event.preventDefault(), event.stopPropagation();
  });
  form.addEventListener("htmx:error", (event) => (event.stopPropagation(), trouble(true)));
}
