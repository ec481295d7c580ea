// Leaves empty fields out of a filter's address.
export function connect(form) {
  form.addEventListener("htmx:config:request", (event) => {
    const { body } = event.detail.ctx.request;
    for (const [name, value] of [...body]) {
      if (!value) body.delete(name);
    }
  });
}
