// What the customer wrote and the server has not acknowledged yet.
//
// Every message has a storage entry of its own, under the customer's key, so two tabs never overwrite each other and a
// message waits for the person who wrote it, never for the next one to sign in. The server stores a client id once, so
// sending from two tabs is harmless.

const KEPT = 7 * 24 * 3600 * 1000;

export class Outbox {
  #messages = new Map();
  #prefix = null;
  #scope;
  #storage = storage();

  constructor(scope) {
    this.#scope = `cairnloop:${scope}:`;
  }

  get persistent() {
    return this.#storage !== null;
  }

  get messages() {
    return [...this.#messages.values()].sort((a, b) => a.at - b.at);
  }

  /** The message to send next: the oldest one that was not refused. */
  get next() {
    return this.messages.find((message) => !message.refused);
  }

  /** Keep this customer's messages from now on, and bring back what an earlier page left unsent. */
  adopt(customer) {
    const prefix = `${this.#scope}${customer}:`;
    if (prefix === this.#prefix) return;
    if (this.#prefix !== null) this.#messages.clear();
    this.#prefix = prefix;
    for (const message of this.#stored()) this.#messages.set(message.id, message);
    for (const message of this.#messages.values()) this.#write(message);
  }

  add(content) {
    const message = { id: uuid(), content, at: Date.now() };
    this.#messages.set(message.id, message);
    this.#write(message);
    return message;
  }

  remove(id) {
    const found = this.#messages.get(id);
    this.#messages.delete(id);
    this.#use((store) => store.removeItem(this.#prefix + id));
    return found;
  }

  refuse(id, reason) {
    const message = this.#messages.get(id);
    if (message) message.refused = reason;
  }

  retry(id) {
    delete this.#messages.get(id)?.refused;
  }

  #stored() {
    const found = [];
    this.#use((store) => {
      for (const key of Object.keys(store).filter((key) => key.startsWith(this.#prefix))) {
        const message = parse(store.getItem(key));
        if (message && Date.now() - message.at < KEPT) found.push(message);
        else store.removeItem(key);
      }
    });
    return found;
  }

  #write({ id, content, at }) {
    this.#use((store) => store.setItem(this.#prefix + id, JSON.stringify({ id, content, at })));
  }

  #use(work) {
    if (this.#storage === null || this.#prefix === null) return;
    try {
      work(this.#storage);
    } catch {
      this.#storage = null; // full, or taken away: messages now live as long as this page
    }
  }
}

function storage() {
  try {
    const store = window.localStorage;
    store.setItem("cairnloop:probe", "1");
    store.removeItem("cairnloop:probe");
    return store;
  } catch {
    return null;
  }
}

function parse(text) {
  try {
    const { id, content, at } = JSON.parse(text);
    return typeof id === "string" && typeof content === "string" && typeof at === "number" ? { id, content, at } : null;
  } catch {
    return null;
  }
}

function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16)); // pages without TLS have no randomUUID
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
