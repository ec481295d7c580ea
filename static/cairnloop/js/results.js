// The palette's results as a listbox its input owns: one option is active, keys move it, its preview goes with it.
const WIDE = matchMedia("(width >= 900px)");
const MOVES = { ArrowDown: (at) => at + 1, ArrowUp: (at) => at - 1, Home: () => 0, End: () => Infinity };

export class Results {
  /** `activated` hears which option is active now. */
  constructor(dialog, input, activated) {
    Object.assign(this, { dialog, input, activated });
    WIDE.addEventListener("change", () => this.fold());
  }

  get options() {
    return [...this.dialog.querySelectorAll("[role=option]")];
  }

  get active() {
    return this.dialog.querySelector("[role=option][aria-selected=true]");
  }

  get answer() {
    return this.dialog.querySelector("#search-results").dataset;
  }

  /** Whether what is shown answers what stands in the input. */
  get current() {
    return this.answer.clQuestion === this.input.value;
  }

  /** New results are in: the first of them is active, and their number is said. */
  renew() {
    this.dialog.querySelector("[role=status]").textContent = this.answer.clOutcome;
    this.input.setAttribute("aria-expanded", String(this.options.length > 0));
    this.fold();
    this.activate(this.options[0]);
  }

  activate(option) {
    for (const each of this.options) {
      each.setAttribute("aria-selected", String(each === option));
      document.getElementById(`${each.id}-whole`).hidden = each !== option;
    }
    this.input.setAttribute("aria-activedescendant", option?.id ?? "");
    option?.scrollIntoView({ block: "nearest" });
    this.activated(option);
  }

  /** Follow a key; whether it was one of ours. */
  move(key) {
    const { options } = this;
    if (!MOVES[key] || !options.length) return false;
    const to = MOVES[key](options.indexOf(this.active));
    this.activate(options[Math.min(Math.max(to, 0), options.length - 1)]);
    return true;
  }

  fold() {
    const preview = this.dialog.querySelector("[data-cl-preview]");
    if (preview) preview.open = WIDE.matches;
  }
}
