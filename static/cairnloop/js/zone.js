// Tells the server the browser's time zone, so that the next page is written in it.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const path = document.documentElement.dataset.clRoot;

if (zone && path && !document.cookie.split("; ").includes(`cl_zone=${zone}`)) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `cl_zone=${zone}; path=${path}; max-age=31536000; samesite=lax${secure}`;
}
