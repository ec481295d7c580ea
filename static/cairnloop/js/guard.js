// Only answers of our own regions are swapped in; anything else (a login page, a proxy's error) shows the banner instead.
const banner = document.getElementById("cl-banner");
let leaving = false;

export function say(what) {
  if (!banner || leaving) return;
  for (const text of banner.children) text.hidden = text.dataset.clSays !== what;
  banner.hidden = false;
}

export function hush() {
  if (banner) banner.hidden = true;
}

function meaning(response) {
  if (response.redirected || response.status === 401 || response.status === 403) return "refused";
  if (response.status === 404) return "gone";
  return response.status >= 500 ? "failed" : "foreign";
}

document.addEventListener("htmx:before:response", (event) => {
  const { raw } = event.detail.ctx.response;
  if (raw.headers.has("HX-Region")) return hush();
  event.preventDefault();
  say(meaning(raw));
});
document.addEventListener("htmx:error", (event) => {
  if (event.detail.ctx && !event.detail.ctx.response) say("offline");
});
// Requests cut by going to another page are no failures.
addEventListener("beforeunload", () => { leaving = true; });
addEventListener("pageshow", () => { leaving = false; });
