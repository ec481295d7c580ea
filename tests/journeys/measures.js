// What cannot be seen, hit or read: elements wider than their room, targets under 44 px, text under 4.5:1.
() => {
  const root = document.querySelector("cairnloop-widget").shadowRoot;
  const shown = [...root.querySelectorAll("*")].filter((node) => node.checkVisibility() && node.getClientRects().length);
  const name = (node) => `${node.localName}.${node.className?.baseVal ?? node.className}`;
  const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
  const linear = (c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
  const light = (colour) => {
    const [r, g, b] = channels(colour).map(linear);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (node) => {
    for (; node; node = node.parentElement) {
      const colour = getComputedStyle(node).backgroundColor;
      if ((channels(colour)[3] ?? 1) > 0.99) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const contrast = (node) => {
    const [a, b] = [light(getComputedStyle(node).color), light(ground(node))].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  };
  const words = shown.filter((node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim()));
  const clips = (node) => getComputedStyle(node).overflowX !== "visible" && !node.classList.contains("unseen");
  const wide = (node) => clips(node) && node.scrollWidth > node.clientWidth + 1;
  return {
    sideways: [document.documentElement, ...shown].filter(wide).map(name),
    small: shown.filter((n) => n.matches("button, textarea") && (n.offsetWidth < 44 || n.offsetHeight < 44)).map(name),
    faint: words.filter((n) => contrast(n) < 4.5).map((n) => `${name(n)} ${contrast(n).toFixed(2)}`),
  };
}
