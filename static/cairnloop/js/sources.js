// The sources a reply names: chips in the composer, each with a hidden field of its own.
const MOST = 10;

export const sources = (form) =>
  [...form.querySelectorAll("[data-cl-source]")].map((chip) => ({
    id: chip.querySelector("input").value,
    title: chip.querySelector("span").textContent,
  }));

/** Add one, once; false where the reply names as many as it may. */
export function addSource(form, { id, title }) {
  const named = sources(form);
  if (named.some((source) => source.id === id)) return true;
  if (named.length >= MOST) return false;
  const chip = document.getElementById("source-chip").content.firstElementChild.cloneNode(true);
  const button = chip.querySelector("button");
  chip.querySelector("input").value = button.value = id;
  chip.querySelector("span").textContent = title;
  button.setAttribute("aria-label", `Remove source: ${title}`);
  form.querySelector("#composer-sources").append(chip);
  changed(form);
  return true;
}

/** Take one out; the focus goes to the next one's button, else to the words. */
export function removeSource(form, chip) {
  const next = chip.nextElementSibling ?? chip.previousElementSibling;
  chip.remove();
  (next?.querySelector("button") ?? form.elements.content).focus();
  changed(form);
}

const changed = (form) => form.dispatchEvent(new Event("change", { bubbles: true }));
