// A button that opens the dialog it names.
export function connect(button) {
  const dialog = document.getElementById(button.dataset.clOpens);
  button.hidden = false;
  button.addEventListener("click", () => dialog.showModal());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
}
