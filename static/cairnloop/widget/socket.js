// The connection: opens, resumes, notices when it is dead, and comes back with patience.

const READY_WITHIN = 15_000;
const HEARTBEAT = 25_000;
const ANSWER_WITHIN = 10_000;
const AWAKE_WITHIN = 4_000; // somebody is looking: find out soon
const LONGEST_PAUSE = 30_000;
const STEADY = 10_000; // a connection that lived this long was a good one: pauses start short again
const REFUSALS = { unauthorized: 3, forbidden_origin: 1 }; // times in a row before we say so and stop

/** Thrown by a token source when trying again is pointless. */
export class TokenRefused extends Error {}

/**
 * `token(fresh)` resolves to the customer's token; `hello()` is what to resume from.
 * `changed(state)` hears "connecting", "ready", "waiting" or "refused"; `received(frame)` hears every frame.
 */
export class Connection {
  state = "closed";
  #url;
  #token;
  #hello;
  #changed;
  #received;
  #socket = null;
  #opening = 0;
  #attempts = 0;
  #refusals = 0;
  #readyAt = 0;
  #pause;
  #deadline;
  #heartbeat;

  constructor({ url, token, hello, changed, received }) {
    this.#url = url;
    this.#token = token;
    this.#hello = hello;
    this.#changed = changed;
    this.#received = received;
  }

  async open() {
    this.#drop();
    const turn = this.#opening;
    this.#become("connecting");
    let token;
    try {
      token = await this.#token(this.#refusals > 0);
    } catch (failure) {
      if (turn === this.#opening) failure instanceof TokenRefused ? this.#become("refused") : this.#wait();
      return;
    }
    if (turn === this.#opening) this.#dial(token);
  }

  close() {
    this.#drop();
    this.#become("closed");
  }

  /** The page came back, or the network did: make sure of the connection now, and of everything said meanwhile. */
  wake() {
    if (this.state === "ready") this.#probe({ after: this.#hello().after }, AWAKE_WITHIN);
    else if (this.state !== "connecting") this.retry();
  }

  /** Try again at once. */
  retry() {
    this.#attempts = this.#refusals = 0;
    this.open();
  }

  send(frame) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  /** Ask for a sign of life; without one the connection counts as lost. */
  #probe(extra, within) {
    this.send({ type: "ping", ...extra });
    this.expect(within);
  }

  #drop() {
    this.#opening++; // whatever still waits for its token finds that it is too late
    clearTimeout(this.#pause);
    clearTimeout(this.#deadline);
    clearInterval(this.#heartbeat);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #dial(token) {
    let socket;
    try {
      socket = this.#socket = new WebSocket(this.#url);
    } catch {
      this.#wait();
      return;
    }
    socket.onopen = () => this.send({ type: "hello", token, ...this.#hello() });
    socket.onmessage = ({ data }) => socket === this.#socket && this.#hear(JSON.parse(data));
    socket.onclose = () => socket === this.#socket && this.#lost();
    this.expect(READY_WITHIN);
  }

  #hear(frame) {
    if (frame.type === "ready" || this.state === "ready") clearTimeout(this.#deadline);
    if (frame.type === "ready") {
      this.#refusals = 0;
      this.#readyAt = Date.now();
      clearInterval(this.#heartbeat);
      this.#heartbeat = setInterval(() => this.#probe(), HEARTBEAT);
      this.#become("ready");
    }
    if (frame.type === "ack") this.#attempts = 0; // it gets us somewhere, however often it breaks
    this.#received(frame);
    if (frame.type === "error" && frame.code in REFUSALS) this.#refusedWith(frame.code);
  }

  #refusedWith(code) {
    this.#drop();
    if (++this.#refusals >= REFUSALS[code]) this.#become("refused");
    else this.#wait();
  }

  /** Hear something soon, or take the connection for lost. */
  expect(within = ANSWER_WITHIN) {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#lost(), within);
  }

  #lost() {
    this.#drop();
    if (this.state === "ready" && Date.now() - this.#readyAt > STEADY) this.#attempts = 0;
    this.#wait();
  }

  #wait() {
    const longest = Math.min(LONGEST_PAUSE, 1000 * 2 ** this.#attempts++);
    this.#become("waiting");
    this.#pause = setTimeout(() => this.open(), 100 + Math.random() * longest);
  }

  #become(state) {
    if (state === this.state) return;
    this.state = state;
    this.#changed(state);
  }
}
