// Grows a text field with what is written in it.
export function connect(field) {
  const fit = () => {
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight + field.offsetHeight - field.clientHeight}px`;
  };
  field.addEventListener("input", fit);
  if (field.value) fit();
}
