// Live updates and keys of the console. Without this script every page works; it only has to be reloaded.
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const typing = (node) => node && node.matches && node.matches("input, textarea, select, [contenteditable]");

  // Bring a page up to date: fetch it again, change only what differs, and never what is being typed.
  function patch(old, fresh) {
    if (old.isEqualNode(fresh)) return;
    if (old.dataset.forms !== undefined) return patchForms(old, fresh);
    for (const { name, value } of fresh.attributes) old.setAttribute(name, value);
    const kept = new Map([...old.children].filter((c) => c.id).map((c) => [c.id, c]));
    if (!old.children.length || ![...fresh.children].some((c) => c.id && kept.has(c.id))) {
      return void old.replaceChildren(...fresh.childNodes);
    }
    let at = old.firstChild;
    for (const child of [...fresh.childNodes]) {
      const same = child.id && kept.get(child.id);
      if (same) {
        kept.delete(child.id);
        if (!same.isEqualNode(child)) patch(same, child);
        if (same === at) at = at.nextSibling;
        else old.insertBefore(same, at);
      } else old.insertBefore(child, at);
    }
    while (at) { const next = at.nextSibling; at.remove(); at = next; }
  }
  function patchForms(old, fresh) {
    if (old.dataset.state === fresh.dataset.state) return; // the same forms: leave them and their words alone
    const words = new Map([...old.querySelectorAll("textarea")].filter((t) => t.value.trim()).map((t) => [t.id, t.value]));
    if ([...words.keys()].some((id) => !fresh.querySelector(`#${id}`))) return; // would throw words away
    const open = [...old.querySelectorAll("details[open]")].map((d) => d.id);
    old.replaceChildren(...fresh.childNodes);
    old.dataset.state = fresh.dataset.state;
    words.forEach((value, id) => { $(id).value = value; });
    open.forEach((id) => { if ($(id)) $(id).open = true; });
  }
  // Who reads the newest words stays with them.
  const talk = $("talk-list");
  let low = true;
  const bottom = () => { if (low) talk.scrollTop = talk.scrollHeight; };
  if (talk) {
    talk.onscroll = () => { low = talk.scrollHeight - talk.scrollTop - talk.clientHeight < 80; };
    new ResizeObserver(bottom).observe(talk);
  }
  function apply(page) {
    const focus = document.activeElement, id = focus && focus.id;
    const line = focus && focus.matches("[data-line]") && focus.getAttribute("href");
    const tops = [...document.querySelectorAll(".column")].map((c) => [c, c.scrollTop]);
    for (const old of document.querySelectorAll("[data-live]")) {
      const fresh = page.getElementById(old.id);
      if (fresh) patch(old, fresh);
    }
    tops.forEach(([column, top]) => { column.scrollTop = top; });
    if (talk) bottom();
    if (!document.contains(focus) || document.activeElement === document.body) {
      const again = (id && $(id)) || (line && document.querySelector(`[data-line][href="${line}"]`));
      if (again) again.focus({ preventScroll: true });
    }
    title();
  }
  const name = document.title;
  function title() {
    const list = document.querySelector("[data-count]"), count = list ? Number(list.dataset.count) : 0;
    document.title = count ? `(${count}) ${name}` : name;
  }
  let busy = false, again = false;
  async function refresh() {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const answer = await fetch(location.pathname + location.search, { headers: { "X-Limani-Refresh": "1" } });
      if (answer.url.includes("/console/login")) return void location.reload();
      if (answer.ok) apply(parse(await answer.text()));
    } catch { show(false); }
    busy = false;
    if (again) { again = false; refresh(); }
  }
  const parse = (text) => new DOMParser().parseFromString(text, "text/html");

  // Forms that send words do it in place.
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.dataset.send === undefined) return;
    event.preventDefault();
    const field = form.querySelector("textarea"), button = form.querySelector("button");
    if (button.disabled) return;
    button.disabled = true;
    const sent = field.value;
    try {
      const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
      const page = parse(await answer.text());
      const refused = page.getElementById("refused") || (answer.ok ? null : page.querySelector("h1"));
      const notice = $("refused") || document.createElement("p");
      if (refused) {
        notice.id = "refused"; notice.className = "notice danger"; notice.setAttribute("role", "alert");
        notice.textContent = refused.textContent.trim();
        $("deeds").prepend(notice);
      } else {
        notice.remove();
        field.value = field.value.startsWith(sent) ? field.value.slice(sent.length).trimStart() : field.value;
        const once = page.querySelector("[name=once]"), used = form.querySelector("[name=once]");
        if (once && used) used.value = once.value; // the next words are new words
        const fold = form.closest("details");
        if (fold) fold.open = false;
        apply(page);
        low = true;
        bottom();
      }
    } catch { show(false); }
    button.disabled = false;
    field.focus();
  });
  document.addEventListener("click", (event) => {
    const ready = event.target.closest("[data-ready]");
    if (!ready || !$("reply")) return;
    event.preventDefault();
    const field = $("reply");
    field.value = (field.value.trim() ? `${field.value.trim()} ` : "") + ready.textContent.trim();
    ready.closest("details").open = false;
    field.focus();
  });

  function go(step) {
    const lines = [...document.querySelectorAll("[data-line]")].filter((line) => line.offsetParent);
    if (!lines.length) return;
    let at = lines.indexOf(document.activeElement);
    if (at < 0) at = lines.findIndex((line) => line.getAttribute("aria-current"));
    lines[Math.min(Math.max(at + step, 0), lines.length - 1)].focus();
  }
  function deed(id, field) {
    const fold = $(id);
    if (!fold) return;
    fold.open = true;
    $(field).focus();
  }
  const keys = {
    j: () => go(1), k: () => go(-1), q: () => { location.href = "/console/"; },
    r: () => { const field = $("reply") || document.querySelector(".take button"); if (field) field.focus(); },
    n: () => deed("deed-note", "note"), t: () => deed("deed-transfer", "to"), c: () => deed("deed-close", "outcome"),
    "?": () => $("keys").showModal(),
  };
  document.addEventListener("keydown", (event) => {
    const node = event.target;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && node.form) return node.form.requestSubmit();
    if (event.key === "Escape" && typing(node)) return node.blur();
    if (event.ctrlKey || event.metaKey || event.altKey || typing(node) || $("keys").open) return;
    const act = keys[event.key.toLowerCase()];
    if (act) { event.preventDefault(); act(); }
  });

  function show(on) {
    const live = $("live"), text = on ? live.dataset.on : live.dataset.off;
    live.hidden = false;
    live.classList.toggle("lost", !on);
    if (live.textContent !== text) live.textContent = text;
  }
  let soon;
  function later() { clearTimeout(soon); soon = setTimeout(refresh, 60); }
  const stream = new EventSource("/console/events");
  stream.addEventListener("hello", () => { show(true); later(); }); // what happened before it is told nowhere
  stream.addEventListener("change", later);
  stream.addEventListener("refresh", later);
  stream.onerror = () => show(false);
  setInterval(() => { if (!document.hidden) refresh(); }, 30000); // "3 min ago" grows old too
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });

  if ($("show-keys")) { $("show-keys").hidden = false; $("show-keys").onclick = () => $("keys").showModal(); }
  title();
})();
