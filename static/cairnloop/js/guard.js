// Only answers of our own regions are swapped in; anything else (a login page, a proxy's error) shows the banner instead.
const banner = document.getElementById("cl-banner");
const failing = new Set();
let leaving = false;

// A region's own later success takes its failure back; a change's failure stands until another change succeeds.
const key = ({ method, action }) => (method === "GET" ? action : method);

export function say(what, about = "page") {
  if (!banner || leaving) return;
  failing.add(about);
  for (const text of banner.querySelectorAll("[data-cl-says]")) text.hidden = text.dataset.clSays !== what;
  banner.hidden = false;
}

export function hush(about) {
  failing.delete(about);
  if (banner && failing.size === 0) banner.hidden = true;
}

function meaning(response) {
  if (response.redirected || response.status === 401 || response.status === 403) return "refused";
  if (response.status === 404) return "gone";
  return response.status >= 500 ? "failed" : "foreign";
}

document.addEventListener("htmx:before:response", (event) => {
  const { request, response } = event.detail.ctx;
  if (response.raw.headers.has("HX-Region")) return hush(key(request));
  event.preventDefault();
  say(meaning(response.raw), key(request));
});
document.addEventListener("htmx:error", (event) => {
  const { ctx } = event.detail;
  if (ctx && !ctx.response) say("offline", key(ctx.request));
});
banner?.querySelector("button").addEventListener("click", () => {
  failing.clear();
  banner.hidden = true;
});
// Requests cut by going to another page are no failures.
addEventListener("beforeunload", () => { leaving = true; });
addEventListener("pageshow", () => { leaving = false; });
