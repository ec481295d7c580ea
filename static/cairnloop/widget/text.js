// Message text as DOM nodes: plain text, with http and https addresses as links. Nothing is ever parsed as HTML.

const LINK = /\[([^\]\n]{1,200})\]\((https?:\/\/[^\s()<>]+)\)|https?:\/\/[^\s<>"']+/g;
const TRAILING = /[.,;:!?'")\]]+$/;

export function textNodes(text) {
  const nodes = [];
  let from = 0;
  for (const found of text.matchAll(LINK)) {
    const [whole, label, target] = found;
    const address = target ?? whole.replace(TRAILING, "");
    const link = anchor(address, label ?? address);
    if (!link) continue;
    nodes.push(text.slice(from, found.index), link);
    from = found.index + (target ? whole.length : address.length);
  }
  nodes.push(text.slice(from));
  return nodes.filter((node) => node !== "");
}

function anchor(address, label) {
  let url;
  try {
    url = new URL(address);
  } catch {
    return null;
  }
  const link = document.createElement("a");
  link.href = url.href;
  link.textContent = label;
  link.target = "_blank";
  link.rel = "noopener noreferrer nofollow";
  return link;
}
