// A panel with a form: closes when the form was accepted, stays open with its errors when it was not.
export function connect(panel) {
  if (panel.hasAttribute("data-cl-open")) panel.showPopover();
  panel.addEventListener("htmx:after:request", (event) => {
    if (event.detail.ctx.response.status < 300) panel.hidePopover();
  });
}
