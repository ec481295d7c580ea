// Keeps what is being written through reloads, sign-outs and crashes, until it is sent.
export function connect(form) {
  const field = form.elements.content;
  const key = `cairnloop:${form.dataset.clConversation}`;
  const forget = () => sessionStorage.removeItem(key);

  const remember = () => {
    const kept = { text: field.value, kind: form.elements.kind.value };
    if (field.value) sessionStorage.setItem(key, JSON.stringify(kept));
    else forget();
  };

  if (form.hasAttribute("data-cl-sent")) forget();
  const kept = JSON.parse(sessionStorage.getItem(key) ?? "null");
  if (kept && !field.value) {
    field.value = kept.text;
    form.elements.kind.value = kept.kind;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  form.addEventListener("input", remember);
  form.addEventListener("submit", remember);
  form.querySelector("[data-cl-forget]")?.addEventListener("click", forget);
  form.addEventListener("change", (event) => event.target.name === "kind" && field.focus());
  if (field.autofocus) field.setSelectionRange(field.value.length, field.value.length);
}
