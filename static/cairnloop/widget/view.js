// What the customer sees. Knows nothing of sockets: it is told what to show, and says what was done.

import { textNodes } from "./text.js";

const LIMIT = 4000;
const NEAR_LIMIT = 3600;
const NEAR_END = 80; // pixels from the end that still count as reading the newest
const ICONS = {
  chat: "M4.5 4h15A1.5 1.5 0 0 1 21 5.5v10a1.5 1.5 0 0 1-1.5 1.5H12l-4.5 4v-4h-3A1.5 1.5 0 0 1 3 15.5v-10A1.5 1.5 0 0 1 4.5 4zM8 9h8M8 12.5h5",
  down: "M5 9l7 7 7-7",
  close: "M6 6l12 12M18 6 6 18",
  send: "M4 12h15M13 6l6 6-6 6",
};

export class View {
  #rows = new Map();
  #did;
  #typing;

  /** `did` hears what the customer does: toggle, close, send, write, earlier, retry, remove, reconnect, read, person. */
  constructor(root, stylesheet, did) {
    this.#did = did;
    this.#build(root, stylesheet);
  }

  set title(text) {
    this.heading.textContent = text;
    this.panel.setAttribute("aria-label", text);
  }

  get open() {
    return this.panel.open;
  }

  get atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.log;
    return scrollHeight - scrollTop - clientHeight < NEAR_END;
  }

  /** Whether the panel fills the screen. */
  get narrow() {
    return matchMedia("(max-width: 480px)").matches;
  }

  show(focus) {
    if (!this.panel.open) this.narrow && focus ? this.panel.showModal() : this.panel.show();
    this.launcher.setAttribute("aria-expanded", "true");
    this.toEnd();
    if (focus) (matchMedia("(pointer: coarse)").matches ? this.log : this.text).focus();
    else if (this.panel.contains(this.panel.getRootNode().activeElement)) document.activeElement.blur();
  }

  hide(focus) {
    this.panel.close();
    this.launcher.setAttribute("aria-expanded", "false");
    if (focus) this.launcher.focus();
  }

  toEnd() {
    this.log.scrollTop = this.log.scrollHeight;
  }

  /** The connection in words; `tone` is ok, wait or bad; with `again` a button offers to try at once. */
  status(words, tone, again = false) {
    this.state.dataset.tone = tone;
    if (this.words.textContent !== words) this.words.textContent = words;
    this.again.hidden = !again;
  }

  /** Whether a person will answer ("coming"), was asked for ("asked"), or may be asked for. */
  person(state) {
    const words = { coming: "A person will answer here.", asked: "Asking for a person…" }[state] ?? "";
    if (this.promised.textContent !== words) this.promised.textContent = words;
    if (words && this.panel.getRootNode().activeElement === this.wish) this.text.focus();
    this.wish.hidden = Boolean(words);
  }

  unread(number, author) {
    this.badge.hidden = number === 0;
    this.badge.textContent = number > 9 ? "9+" : number;
    const words = number === 0 ? "" : number === 1 ? ", 1 new message" : `, ${number} new messages`;
    this.launcher.setAttribute("aria-label", this.heading.textContent + words);
    if (author && !this.open) this.news.textContent = `New message from ${author}`;
  }

  typing(author) {
    clearTimeout(this.#typing);
    const stay = this.atEnd;
    this.typist.hidden = !author;
    this.typist.firstChild.textContent = author ? `${author} is typing` : "";
    if (author) this.#typing = setTimeout(() => this.typing(null), 6000);
    if (stay) this.toEnd();
  }

  /** Show exactly these rows, in this order; a row that is already there is kept, so it is announced once. */
  rows(rows, { earlier, loading }) {
    const stay = this.atEnd;
    const below = this.log.scrollHeight - this.log.scrollTop;
    this.log.setAttribute("aria-busy", String(loading));
    this.earlier.hidden = !earlier;
    const first = this.list.firstChild;
    const wanted = new Set(rows.map(({ key }) => key));
    for (const [key, row] of this.#rows) if (!wanted.has(key)) this.#rows.delete(key), row.node.remove();
    let place = this.list.firstChild;
    for (const row of rows) {
      const node = this.#row(row);
      if (node === place) place = place.nextSibling;
      else this.list.insertBefore(node, place);
    }
    if (stay) this.toEnd();
    else if (first !== this.list.firstChild) this.log.scrollTop = this.log.scrollHeight - below;
  }

  #row(row) {
    const mark = JSON.stringify(row);
    const known = this.#rows.get(row.key) ?? (row.kind === "message" ? this.#message(row) : { node: h("p", { class: row.kind }, row.text) });
    if (known.mark !== mark) known.update?.(row);
    known.mark = mark;
    this.#rows.set(row.key, known);
    return known.node;
  }

  /** One message; what is said in it never changes, what is known about it does. */
  #message({ mine, content, sources, key }) {
    const by = h("p", { class: "by" });
    const state = h("p", { class: "mark" });
    const act = (name, words) => h("button", { type: "button", onclick: () => this.#did(name, key) }, words);
    const acts = h("p", { class: "acts" }, act("retry", "Try again"), act("remove", "Take back"));
    const from = sources?.length ? h("p", { class: "sources" }, `From our articles: ${sources.join(", ")}`) : null;
    const node = h("article", { class: mine ? "message mine" : "message" }, by, h("div", { class: "bubble" }, ...textNodes(content)), from, state, acts);
    const update = (row) => {
      node.dataset.state = row.refused ? "refused" : row.sent ? "sent" : "waiting";
      by.hidden = !row.author;
      if (row.author) by.replaceChildren(h("b", {}, row.author), " ", h("time", { datetime: row.at }, row.time));
      state.hidden = !row.state;
      state.textContent = row.state ?? "";
      acts.hidden = !row.refused;
    };
    return { node, update };
  }

  #build(root, stylesheet) {
    const did = (name) => () => this.#did(name);
    this.badge = h("span", { class: "badge", hidden: true, "aria-hidden": "true" });
    this.launcher = h(
      "button",
      { class: "launcher", type: "button", "aria-expanded": "false", "aria-haspopup": "dialog", onclick: did("toggle") },
      icon("chat"),
      icon("down"),
      this.badge,
    );
    this.heading = h("h2", {});
    this.words = h("span", {});
    this.again = h("button", { class: "again", type: "button", hidden: true, onclick: did("reconnect") }, "Try now");
    this.state = h("div", { class: "state" }, h("p", { role: "status" }, this.words), this.again);
    this.earlier = h("button", { class: "earlier", type: "button", hidden: true, onclick: did("earlier") }, "Show earlier messages");
    this.list = h("div", { class: "list" });
    this.typist = h("p", { class: "typing", hidden: true, role: "status" }, h("span", {}), h("i", { "aria-hidden": "true" }));
    this.log = h(
      "div",
      { class: "log", role: "log", tabindex: "0", "aria-label": "Messages", "aria-live": "polite", onscroll: did("read") },
      this.earlier,
      this.list,
    );
    this.wish = h("button", { class: "wish", type: "button", onclick: did("person") }, "Talk to a person");
    this.promised = h("p", { role: "status" });
    this.panel = h(
      "dialog",
      { class: "panel" },
      h("header", {}, h("div", {}, this.heading, this.state), h("button", { class: "icon", type: "button", "aria-label": "Close chat", onclick: did("close") }, icon("close"))),
      this.log,
      this.typist,
      h("div", { class: "person" }, this.wish, this.promised),
      this.#composer(),
    );
    this.news = h("p", { class: "unseen", role: "status" });
    const frame = h("div", { class: "frame", hidden: true }, this.panel, this.launcher, this.news);
    const style = h("link", { rel: "stylesheet", href: stylesheet, onload: () => (frame.hidden = false), onerror: () => (frame.hidden = false) });
    this.panel.addEventListener("keydown", (event) => event.key === "Escape" && this.#did("close"));
    this.panel.addEventListener("cancel", (event) => event.preventDefault());
    root.append(style, frame);
  }

  #composer() {
    this.text = h("textarea", { id: "text", rows: "1", maxlength: LIMIT, placeholder: "Write a message", autocomplete: "off", "aria-describedby": "left" });
    this.left = h("p", { class: "left", id: "left", role: "status" });
    const form = h(
      "form",
      { class: "composer", novalidate: true },
      h("label", { class: "unseen", for: "text" }, "Your message"),
      this.text,
      h("button", { class: "icon send", "aria-label": "Send" }, icon("send")),
      this.left,
    );
    form.addEventListener("submit", (event) => (event.preventDefault(), this.#submit()));
    this.text.addEventListener("input", () => (this.#measure(), this.#did("write")));
    this.text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit();
    });
    return form;
  }

  #submit() {
    const content = this.text.value.trim();
    if (content) {
      this.text.value = "";
      this.#measure();
      this.#did("send", content);
      this.toEnd();
    }
    this.text.focus();
  }

  #measure() {
    const { text, atEnd } = this;
    text.style.height = "auto";
    text.style.height = `${text.scrollHeight + text.offsetHeight - text.clientHeight}px`;
    if (atEnd) this.toEnd();
    const used = text.value.length;
    this.left.textContent = used < NEAR_LIMIT ? "" : `${LIMIT - used} characters left`;
  }
}

function h(name, properties, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (typeof value === "function") node[key] = value;
    else if (value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child || child === 0));
  return node;
}

function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const path = document.createElementNS(space, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", `glyph-${name}`);
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}
