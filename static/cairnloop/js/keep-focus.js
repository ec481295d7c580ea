// Where a swap took away what had the focus, the focus goes to the screen's main part instead of the top of the page.
let held = false;

document.addEventListener("htmx:before:swap", (event) => {
  const targets = event.detail.tasks?.map((task) => task.target) ?? [];
  held = targets.some((target) => target instanceof Element && target.contains(document.activeElement));
});
document.addEventListener("htmx:after:swap", () => {
  if (held && document.activeElement === document.body) document.getElementById("main")?.focus({ preventScroll: true });
  held = false;
});
