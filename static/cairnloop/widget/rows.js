// The thread and what waits to be sent, as the rows to show.

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const GROUPED = 5 * 60 * 1000;

export function rows(thread, outbox, greeting) {
  const found = [];
  const { messages } = thread;
  const newestMine = messages.findLast(({ role }) => role === "user")?.sequence;
  if (!thread.earlier && greeting) found.push({ key: "greeting", kind: "greeting", text: greeting });
  let before = {};
  for (const message of messages) {
    const at = new Date(message.at);
    if (at.toDateString() !== before.day) found.push({ key: `day:${at.toDateString()}`, kind: "day", text: day(at) });
    found.push(message.role === "system" ? fact(message) : said(message, at, before, newestMine, thread.operatorSeen));
    before = { day: at.toDateString(), at, role: message.role, author: message.author };
  }
  if (thread.status === "resolved") found.push({ key: "resolved", kind: "fact", text: "Marked as resolved. Write again whenever you need us." });
  return [...found, ...outbox.messages.map(waiting)];
}

function said({ sequence, role, author, content, at, client_id, sources, automatic }, when, before, newestMine, operatorSeen) {
  const mine = role === "user";
  const same = before.role === role && (mine || before.author === author) && when - before.at < GROUPED;
  const seen = sequence <= operatorSeen ? "Seen" : "Sent";
  return {
    key: client_id ?? `message:${sequence}`,
    kind: "message",
    mine,
    author: same ? null : mine ? "You" : automatic ? "Automatic answer" : author || "Support",
    time: CLOCK.format(when),
    at,
    content,
    sources,
    sent: true,
    state: sequence === newestMine ? seen : null,
  };
}

function waiting({ id, content, refused }) {
  return { key: id, kind: "message", mine: true, content, id, refused, state: refused ? `Not sent. ${refused}` : "Waiting to be sent" };
}

function fact({ sequence, content }) {
  return { key: `message:${sequence}`, kind: "fact", text: content };
}

function day(at) {
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 86_400_000);
  return days === 0 ? "Today" : days === 1 ? "Yesterday" : DAY.format(at);
}
