// Keeps what is being read in place while the thread grows above and below it. (At its newest message it stays by itself.)
const NEAR = 80;

export function connect(log) {
  const jump = log.parentElement.querySelector(".cl-jump");
  const top = (element) => element.getBoundingClientRect().top;
  const away = () => Math.abs(log.scrollTop) > NEAR;
  const newest = () => log.querySelector("#timeline .cl-message:last-of-type")?.id;
  let kept = null;
  let last = newest();

  log.addEventListener("htmx:before:swap", () => {
    const first = log.querySelector(".cl-message");
    kept = first && away() ? { first, at: top(first) } : null;
  });
  log.addEventListener("htmx:after:swap", () => {
    onceEachDay(log);
    if (kept?.first.isConnected) log.scrollTop += top(kept.first) - kept.at;
    else log.scrollTop = 0;
    if (away() && newest() !== last) jump.hidden = false;
    last = newest();
  });
  log.addEventListener("scroll", () => { if (!away()) jump.hidden = true; }, { passive: true });
  jump.addEventListener("click", () => { log.scrollTop = 0; });
}

// An older page may end on the day the next one begins with.
function onceEachDay(log) {
  let last = "";
  for (const day of log.querySelectorAll("[data-cl-day]")) {
    day.hidden = day.dataset.clDay === last;
    last = day.dataset.clDay;
  }
}
