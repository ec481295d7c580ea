// Keeps the page's ear open: asks again when the stream could not be had, and polls where there is none.
import { hush, say } from "../guard.js";

const POLL = 10_000;
const FIRST = 1_000;
const LONGEST = 30_000;

function resync() {
  if (!document.hidden) document.body.dispatchEvent(new CustomEvent("cl-resync"));
}

export function connect(element) {
  if (document.documentElement.dataset.clLive === "poll") {
    setInterval(resync, POLL);
    document.addEventListener("visibilitychange", resync);
    return;
  }
  let pause = FIRST;
  let waiting = 0;
  const again = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => htmx.trigger(element, "cl-connect"), pause);
    pause = Math.min(pause * 2, LONGEST);
  };
  element.addEventListener("htmx:finally:request", (event) => {
    if (!event.detail.ctx.extensionPromise) again(); // no stream came of it
  });
  element.addEventListener("htmx:sse:after:connection", () => { pause = FIRST; hush("live"); });
  element.addEventListener("htmx:sse:error", (event) => say(event.detail.status === 403 ? "refused" : "offline", "live"));
  element.addEventListener("htmx:sse:close", (event) => event.detail.reason !== "removed" && again());
}
