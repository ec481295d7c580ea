// Puts a chosen theme on at once; the form's own request makes it last.
export function connect(form) {
  form.addEventListener("submit", (event) => {
    const chosen = event.submitter?.value;
    if (chosen === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = chosen;
    for (const button of document.querySelectorAll("[data-cl~=theme] button")) {
      button.setAttribute("aria-pressed", String(button.value === chosen));
    }
  });
}
