// Small things that the demo's scripts share: words, nodes, icons, posting.
"use strict";
const Limani = {
  words: JSON.parse(document.body.dataset.said),
  language: document.body.dataset.language,
  $: (id) => document.getElementById(id),
  make: (name, kind, content) => {
    const node = document.createElement(name);
    if (kind) node.className = kind;
    if (content !== undefined) node.textContent = content;
    return node;
  },
  icon: (name) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    svg.setAttribute("class", "icon");
    svg.setAttribute("aria-hidden", "true");
    use.setAttribute("href", `${document.body.dataset.icons}#${name}`);
    svg.append(use);
    return svg;
  },
  post: (path, data) => fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(data),
  }).catch(() => null),
  pace: 1, // how slowly the stories play; tests make them quicker
  pause: (ms) => new Promise((done) => setTimeout(done, ms * Limani.pace)),
  state: { telegram: { items: [], keyboard: [] }, viber: { items: [], keyboard: [] }, oncall: [] },
};
