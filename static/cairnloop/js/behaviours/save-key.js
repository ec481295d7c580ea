// The button that Ctrl+S (or ⌘S) presses, wherever the focus is.
export function connect(button) {
  document.addEventListener("keydown", (event) => {
    if (!button.isConnected || event.key !== "s" || !(event.metaKey || event.ctrlKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    button.form.requestSubmit(button);
  });
}
