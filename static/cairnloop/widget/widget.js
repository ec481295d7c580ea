// <cairnloop-widget>: the chat of a host page. Joins the conversation, the connection and the view.

import { Outbox } from "./outbox.js";
import { rows } from "./rows.js";
import { Connection, TokenRefused } from "./socket.js";
import { Thread } from "./thread.js";
import { View } from "./view.js";

const TYPING_EVERY = 3000;
const WORDS = {
  ready: ["Connected", "ok"],
  connecting: ["Connecting…", "wait"],
  closed: ["Connecting…", "wait"],
  waiting: ["Reconnecting… What you write is kept and sent.", "wait"],
  offline: ["You are offline. What you write is sent when you are back.", "wait"],
  unavailable: ["Chat is briefly unavailable. What you write is kept and sent when it is back.", "wait"],
  slow: ["A little too fast. The rest is sent in a moment.", "wait"],
  unauthorized: ["We could not confirm who you are. Reload the page or sign in again.", "bad"],
  forbidden_origin: ["Chat is not available on this page.", "bad"],
};
const AGAIN = { waiting: 1, unavailable: 1, unauthorized: 1, forbidden_origin: 1 }; // where a button offers to try at once

export class CairnloopWidget extends HTMLElement {
  static observedAttributes = ["open", "title", "token"];
  #view;
  #connection;
  #outbox;
  #thread = new Thread();
  #sending = null;
  #trouble = null;
  #refusal = "unauthorized";
  #said = "";
  #resend;
  #typedAt = 0;
  #loading = true;
  #asked = Infinity;
  #wantsPerson = false;
  #seenSent = 0;
  #stop;

  get open() {
    return this.hasAttribute("open");
  }

  set open(wanted) {
    this.toggleAttribute("open", Boolean(wanted));
  }

  connectedCallback() {
    this.#view ??= new View(this.attachShadow({ mode: "open" }), new URL("widget.css", import.meta.url), (...what) => this.#did(...what));
    this.#name();
    const url = this.#url();
    this.#outbox ??= new Outbox(url);
    if (this.hasAttribute("customer")) this.#outbox.adopt(this.getAttribute("customer"));
    this.#connection ??= new Connection({
      url,
      token: (fresh) => this.#token(fresh),
      hello: () => this.#thread.place,
      changed: (state) => this.#changed(state),
      received: (frame) => this.#received(frame),
    });
    this.#listen();
    if (this.open || (this.#remembered() && !this.#view.narrow)) this.#show(false);
    this.#render();
    this.#connection.open();
  }

  disconnectedCallback() {
    this.#stop.abort();
    this.#connection.close();
  }

  attributeChangedCallback(name, before, value) {
    if (!this.#view) return;
    if (name === "title" && value !== null) this.#name();
    if (name === "token" && value !== before) this.#connection.retry();
    if (name === "open" && this.open !== this.#view.open) this.open ? this.#show(true) : this.#hide();
  }

  /** The title moves inside: on the element itself it would be a tooltip over the whole chat. */
  #name() {
    const title = this.getAttribute("title");
    if (title !== null) this.removeAttribute("title");
    if (title || !this.#view.heading.textContent) this.#view.title = title || "Chat with us";
  }

  #url() {
    const given = this.getAttribute("endpoint");
    const url = given ? new URL(given, location.href) : new URL("../../socket", import.meta.url);
    url.protocol = url.protocol.replace("http", "ws");
    return url.href;
  }

  async #token(fresh) {
    const source = this.getAttribute("token-url");
    const token = this.getAttribute("token");
    if (token && !(fresh && source)) {
      if (fresh) throw new TokenRefused();
      return token;
    }
    if (!source) throw new TokenRefused();
    const answer = await fetch(source, { credentials: "same-origin", cache: "no-store", headers: { Accept: "application/json" } });
    if (answer.status === 401 || answer.status === 403) throw new TokenRefused();
    if (!answer.ok) throw new Error(`token: ${answer.status}`);
    return (await answer.json()).token;
  }

  #listen() {
    const { signal } = (this.#stop = new AbortController());
    const wake = () => document.visibilityState === "visible" && (this.#connection.wake(), this.#read());
    document.addEventListener("visibilitychange", wake, { signal });
    addEventListener("online", wake, { signal });
    addEventListener("offline", () => (this.#describe(), this.#connection.state === "ready" && wake()), { signal });
    addEventListener("pagehide", () => this.#connection.close(), { signal });
    addEventListener("pageshow", (event) => event.persisted && this.#connection.retry(), { signal });
  }

  #did(what, detail) {
    const act = {
      toggle: () => (this.open = !this.open),
      close: () => (this.open = false),
      send: () => this.#send(detail),
      write: () => this.#write(),
      read: () => this.#read(),
      earlier: () => this.#askEarlier(),
      person: () => ((this.#wantsPerson = true), this.#askPerson()),
      reconnect: () => this.#connection.retry(),
      retry: () => (this.#outbox.retry(detail), this.#pump()),
      remove: () => this.#outbox.remove(detail),
    }[what];
    act();
    if (what !== "read" && what !== "write") this.#render();
  }

  #show(focus) {
    this.toggleAttribute("open", true);
    if (!this.#view.open) this.#view.show(focus);
    this.#remember(true);
    this.#read();
  }

  #hide() {
    this.#view.hide(true);
    this.#remember(false);
  }

  #remembered() {
    try {
      return sessionStorage.getItem("cairnloop:open") === "1";
    } catch {
      return false;
    }
  }

  #remember(open) {
    try {
      sessionStorage.setItem("cairnloop:open", open ? "1" : "0");
    } catch {
      // no storage: the next page starts with the chat closed
    }
  }

  #changed(state) {
    if (state !== "ready") this.#sending = null;
    clearTimeout(this.#resend);
    this.#describe();
  }

  #describe() {
    const { state } = this.#connection;
    let name = state === "refused" ? this.#refusal : state;
    if (state === "ready" || state === "waiting") name = this.#trouble ?? name;
    if (state === "connecting" && this.#said in AGAIN) name = this.#said; // one more try is no news
    if (state !== "refused" && !navigator.onLine) name = "offline";
    this.#said = name;
    const [words, tone] = WORDS[name];
    const unsaved = !this.#outbox.persistent && tone === "wait" && name !== "connecting";
    const note = unsaved ? " This browser keeps nothing, so please leave the page open." : "";
    this.#view.status(words + note, tone, state !== "ready" && name in AGAIN);
  }

  #received(frame) {
    const handle = {
      ready: () => this.#ready(frame),
      messages: () => this.#messages(frame),
      ack: () => this.#acknowledged(frame),
      typing: () => this.#view.typing(frame.author || "Support"),
      seen: () => (this.#thread.operatorSeen = Math.max(this.#thread.operatorSeen, frame.sequence)),
      status: () => (this.#thread.standing(frame), (this.#trouble = null), (this.#wantsPerson &&= !this.#thread.handedOver), this.#describe()),
      error: () => this.#failed(frame),
    }[frame.type];
    if (!handle) return; // a pong, or something newer than this script
    handle();
    this.#render();
  }

  #ready(frame) {
    this.#trouble = null;
    this.#seenSent = 0;
    this.#asked = Infinity;
    this.#outbox.adopt(this.getAttribute("customer") ?? frame.customer);
    this.#thread.begin(frame);
    if (frame.conversation === null) this.#loading = false;
    this.#describe();
    this.#askPerson();
    this.#pump();
  }

  #messages(frame) {
    const fresh = this.#thread.add(frame);
    for (const { client_id } of fresh) if (client_id) this.#outbox.remove(client_id);
    const reply = fresh.findLast(({ role }) => role !== "user");
    if (reply) this.#view.typing(null);
    if (!frame.more) this.#loading = false;
    this.#read();
    this.#view.unread(this.#thread.unread, reply && reply.sequence > this.#thread.customerSeen && (reply.automatic ? "Support" : reply.author || "Support"));
  }

  #acknowledged({ client_id, conversation, sequence, at }) {
    const message = this.#outbox.remove(client_id);
    if (message) {
      this.#thread.stored(conversation, { sequence, role: "user", author: null, content: message.content, at, client_id });
    }
    if (this.#sending === client_id) this.#sending = null;
    this.#trouble = null;
    this.#describe();
    this.#pump();
  }

  #failed({ code, message, client_id, retry_after }) {
    if (code === "unauthorized" || code === "forbidden_origin") this.#refusal = code;
    else if (code === "unavailable" || code === "rate_limited") this.#later(code, retry_after);
    else if (code === "not_found") this.#thread = new Thread();
    else if (this.#sending && (client_id === this.#sending || code === "too_large")) {
      this.#outbox.refuse(this.#sending, message);
      this.#sending = null;
      this.#pump();
    }
  }

  /** Not now: keep what is waiting and try again by ourselves. */
  #later(code, after = 1 + Math.random() * 3) {
    this.#trouble = code === "unavailable" ? code : "slow";
    this.#sending = null;
    clearTimeout(this.#resend);
    this.#resend = setTimeout(() => (this.#askPerson(), this.#pump()), after * 1000);
    this.#describe();
  }

  #send(content) {
    this.#outbox.add(content);
    this.#pump();
  }

  /** One message at a time, oldest first, the next one when this one is stored. */
  #pump() {
    if (this.#sending || this.#connection.state !== "ready") return;
    const { id, content } = this.#outbox.next ?? {};
    if (id && this.#connection.send({ type: "send", client_id: id, content })) {
      this.#sending = id;
      this.#connection.expect();
    }
  }

  /** Asked once, a person is asked for until the server says that one will answer. */
  #askPerson() {
    if (!this.#wantsPerson || this.#connection.state !== "ready") return;
    if (this.#connection.send({ type: "talk_to_person" })) this.#connection.expect();
  }

  #write() {
    if (Date.now() - this.#typedAt < TYPING_EVERY || !this.#thread.conversation) return;
    this.#typedAt = Date.now();
    this.#connection.send({ type: "typing" });
  }

  #askEarlier() {
    if (this.#thread.first >= this.#asked) return;
    this.#asked = this.#thread.first;
    this.#connection.send({ type: "history", before: this.#asked });
  }

  /** Whatever stands in an open, visible panel down to its end has been seen. */
  #read() {
    const { sequence = 0 } = this.#thread.newestReply ?? {};
    if (!this.open || document.visibilityState !== "visible" || !this.#view.atEnd) return;
    this.#thread.customerSeen = Math.max(this.#thread.customerSeen, sequence);
    if (sequence > this.#seenSent && this.#connection.send({ type: "seen", sequence })) this.#seenSent = sequence;
    this.#view.unread(this.#thread.unread);
  }

  #render() {
    const greeting = this.getAttribute("greeting") ?? "How can we help?";
    this.#view.rows(rows(this.#thread, this.#outbox, greeting), { earlier: this.#thread.earlier, loading: this.#loading });
    this.#view.unread(this.#thread.unread);
    this.#view.person(this.#thread.handedOver ? "coming" : this.#wantsPerson ? "asked" : "");
    this.#read();
  }
}

customElements.get("cairnloop-widget") ?? customElements.define("cairnloop-widget", CairnloopWidget);
