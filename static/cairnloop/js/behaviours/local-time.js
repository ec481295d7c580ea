// Shows a moment in the reader's own zone and keeps "4 min" true.
const shown = new Set();
const MINUTE = 60_000;

// The words are those the server writes, so that nothing changes under the reader's eyes.
const part = (options) => (at) => new Intl.DateTimeFormat("en-US", options).format(at);
const weekday = part({ weekday: "short" });
const month = part({ month: "short" });
const clock = part({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const date = (at) => `${at.getDate()} ${month(at)}`;
const exact = (at) => `${weekday(at)} ${date(at)} ${at.getFullYear()}, ${clock(at)}`;

function relative(at) {
  const minutes = Math.floor((Date.now() - at) / MINUTE);
  if (minutes < 1) return "now";
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h`;
  if (minutes < 7 * 24 * 60) return `${Math.floor(minutes / 60 / 24)} d`;
  return at.getFullYear() === new Date().getFullYear() ? date(at) : `${date(at)} ${at.getFullYear()}`;
}

function show(element) {
  const at = new Date(element.dateTime);
  const text = { clock, exact }[element.dataset.clShown]?.(at) ?? relative(at);
  if (element.textContent !== text) element.textContent = text;
  element.title = exact(at);
}

function showAll() {
  for (const element of shown) {
    if (element.isConnected) show(element);
    else shown.delete(element);
  }
}

export function connect(element) {
  shown.add(element);
  show(element);
}

setInterval(showAll, MINUTE / 2);
document.addEventListener("htmx:after:settle", showAll);
