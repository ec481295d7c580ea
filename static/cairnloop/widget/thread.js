// The conversation as this page knows it: what was said, and how far each side has read.

const THEIRS = new Set(["agent", "system_outbound"]);

export class Thread {
  conversation = null;
  status = "none";
  handedOver = false;
  earlier = false;
  customerSeen = 0;
  operatorSeen = 0;
  #upTo = 0;
  #messages = new Map();

  /** Where to resume after a cut: everything of this conversation up to `after` was read. */
  get place() {
    return { conversation: this.conversation, after: this.conversation === null ? null : this.#upTo };
  }

  get first() {
    return Math.min(...this.#messages.keys());
  }

  get messages() {
    return [...this.#messages.values()].sort((a, b) => a.sequence - b.sequence);
  }

  get unread() {
    return this.messages.filter(({ role, sequence }) => THEIRS.has(role) && sequence > this.customerSeen).length;
  }

  /** The newest message of the other side, if there is one. */
  get newestReply() {
    return this.messages.findLast(({ role }) => THEIRS.has(role));
  }

  begin(ready) {
    if (ready.conversation !== this.conversation) {
      this.#messages.clear();
      this.earlier = false;
      this.customerSeen = this.operatorSeen = this.#upTo = 0;
    }
    this.conversation = ready.conversation;
    this.standing(ready);
    this.customerSeen = Math.max(this.customerSeen, ready.customer_seen_sequence);
    this.operatorSeen = Math.max(this.operatorSeen, ready.operator_seen_sequence);
  }

  standing({ status, handed_over }) {
    this.status = status;
    this.handedOver = Boolean(handed_over);
  }

  /** Take in a page of messages; those already here stay as they are. Returns the new ones. */
  add(page) {
    if (page.conversation !== this.conversation) return [];
    this.earlier = page.earlier ?? this.earlier;
    const fresh = page.messages.filter(({ sequence }) => !this.#messages.has(sequence));
    for (const message of fresh) this.#messages.set(message.sequence, message);
    this.#upTo = Math.max(this.#upTo, ...page.messages.map(({ sequence }) => sequence));
    return fresh;
  }

  /** One's own message was stored. Messages before it may still be on their way, so it does not count as read up to. */
  stored(conversation, message) {
    if (conversation === this.conversation && !this.#messages.has(message.sequence)) this.#messages.set(message.sequence, message);
  }
}
