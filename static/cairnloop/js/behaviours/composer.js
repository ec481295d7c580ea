// Keeps what is being written, and the sources it names, through reloads, sign-outs and crashes, until it is sent.
import { addSource, removeSource, sources } from "../sources.js";

export function connect(form) {
  const field = form.elements.content;
  const key = `cairnloop:${form.dataset.clConversation}`;
  const forget = () => sessionStorage.removeItem(key);

  const remember = () => {
    const kept = { text: field.value, kind: form.elements.kind.value, sources: sources(form) };
    if (kept.text || kept.sources.length) sessionStorage.setItem(key, JSON.stringify(kept));
    else forget();
  };

  if (form.hasAttribute("data-cl-sent")) forget();
  const kept = JSON.parse(sessionStorage.getItem(key) ?? "null");
  if (kept && !field.value) {
    field.value = kept.text;
    form.elements.kind.value = kept.kind;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    for (const source of kept.sources ?? []) addSource(form, source);
  }
  form.addEventListener("input", remember);
  form.addEventListener("change", remember);
  form.addEventListener("submit", remember);
  form.addEventListener("click", (event) => {
    const chip = event.target.closest("[data-cl-source]");
    if (!chip || !event.target.closest("button")) return;
    event.preventDefault();
    removeSource(form, chip);
  });
  form.parentElement.querySelector("[data-cl-forget]")?.addEventListener("click", forget);
  form.addEventListener("change", (event) => event.target.name === "kind" && field.focus());
  if (field.autofocus) field.setSelectionRange(field.value.length, field.value.length);
}
