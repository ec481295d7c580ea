// Keeps a thread at its newest message while the reader is there, and in place while they are not.
const NEAR = 80;

export function connect(log) {
  let atEnd = true;
  let height = 0;
  const toEnd = () => { log.scrollTop = log.scrollHeight; };

  log.addEventListener("scroll", () => {
    atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;
  }, { passive: true });

  log.addEventListener("htmx:before:swap", () => { height = log.scrollHeight; });
  log.addEventListener("htmx:after:swap", (event) => {
    if (event.detail.ctx.hx?.region === "older") log.scrollTop += log.scrollHeight - height;
    else if (atEnd) toEnd();
    onceEachDay(log);
  });
  new ResizeObserver(() => atEnd && toEnd()).observe(log);
  toEnd();
}

// An older page may end on the day the next one begins with.
function onceEachDay(log) {
  let last = "";
  for (const day of log.querySelectorAll("[data-cl-day]")) {
    day.hidden = day.dataset.clDay === last;
    last = day.dataset.clDay;
  }
}
