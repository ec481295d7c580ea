// Grows a text field with what is written in it, where the stylesheet's field-sizing cannot.
export function connect(field) {
  if (CSS.supports("field-sizing", "content")) return;
  const fit = () => {
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight + field.offsetHeight - field.clientHeight}px`;
  };
  field.addEventListener("input", fit);
  if (field.value) fit();
}
