// Keeps an article's words through reloads, sign-outs and crashes until they are saved, and counts them.
export function connect(form) {
  const { title, content } = form.elements;
  const id = (name) => document.getElementById(name);
  const key = () => `cairnloop:article:${form.dataset.clArticle}`;
  const words = () => JSON.stringify([title.value, content.value]);
  let saved = words();
  let sent = saved;
  let leaving = false;
  let refused = false;

  const show = () => {
    id("editor-words").textContent = content.value.split(/\s+/).filter(Boolean).length;
    id("editor-unsaved").hidden = words() === saved;
  };
  const forget = () => sessionStorage.removeItem(key());
  const remember = () => {
    if (leaving) return;
    if (words() === saved) forget();
    else sessionStorage.setItem(key(), JSON.stringify({ title: title.value, content: content.value, seen: form.elements.seen.value }));
    show();
  };
  const restore = () => {
    const kept = JSON.parse(sessionStorage.getItem(key()) ?? "null");
    if (!kept || (kept.content === content.value && kept.title === title.value)) return;
    [title.value, content.value, form.elements.seen.value] = [kept.title, kept.content, kept.seen];
    id("editor-restored").hidden = false;
    addEventListener("load", () => content.dispatchEvent(new Event("input", { bubbles: true }))); // htmx listens by then
  };

  if (!document.querySelector(".cl-conflict")) restore();
  else saved = "";
  show();
  form.addEventListener("input", remember);
  form.addEventListener("submit", () => {
    sent = words();
    document.querySelectorAll(".cl-editor [popover]:popover-open").forEach((panel) => panel.hidePopover());
  });
  document.addEventListener("htmx:before:response", (event) => {
    const { sourceElement, response } = event.detail.ctx;
    if (sourceElement !== form || !response.raw.headers.has("HX-Region")) return;
    refused = response.raw.status >= 400;
    if (refused) return;
    forget();
    saved = sent;
    leaving = response.raw.headers.has("HX-Redirect");
  });
  document.addEventListener("htmx:after:settle", () => {
    if (form.isConnected) remember();
    if (refused) document.querySelector(".cl-conflict, [aria-invalid=true]")?.scrollIntoView({ block: "nearest" });
    refused = false;
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-cl-forget]")) return;
    forget();
    leaving = true;
  });
  document.addEventListener("submit", (event) => { leaving ||= !event.target.hasAttribute("hx-post"); });
  addEventListener("beforeunload", (event) => !leaving && words() !== saved && event.preventDefault());
}
