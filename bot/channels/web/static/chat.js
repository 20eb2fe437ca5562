// The chat in the browser: shows what the stream brings, posts what the citizen writes, keeps nothing.
// Every text is set as text, never as markup. Nothing goes into the browser's storage.
"use strict";
(() => {
  const body = document.body;
  const said = JSON.parse(body.dataset.said);
  const lines = JSON.parse(body.dataset.lines);
  const $ = (id) => document.getElementById(id);
  const talk = $("talk"), room = document.querySelector(".room"), choices = $("choices"), text = $("text");
  const items = new Map(); // row id -> item
  const waiting = new Map(); // the id that we gave -> post that the server has not shown yet
  let ready = false; // history has been shown: what comes now is news
  let byKeyboard = false; // the last choice was made without a pointer
  let source = null;

  // Numbers that can be called: the known lines, and Greek numbers of ten digits. "100 ευρώ" is no phone.
  const short = lines.map((line) => line.replace(/\D/g, "")).sort((a, b) => b.length - a.length).join("|");
  const phone = new RegExp(
    `(?<![\\d.,/+-])(?:(?:\\+30 ?)?(?:2\\d{3} ?\\d{6}|2\\d{2} ?\\d{7}|69\\d{2} ?\\d{6}|80[01] ?\\d{3} ?\\d{4})|${short})` +
      "(?![\\d/-]|[.,]\\d| ?(?:€|%|ευρώ|euro|χρον|ώρ|hours|λεπτ|minutes|άτομ|people|μέτρ))", "gu");

  const make = (name, kind, content) => {
    const node = document.createElement(name);
    if (kind) node.className = kind;
    if (content) node.textContent = content;
    return node;
  };
  const icon = (name) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    svg.setAttribute("class", "icon");
    svg.setAttribute("aria-hidden", "true");
    use.setAttribute("href", `${body.dataset.icons}#${name}`);
    svg.append(use);
    return svg;
  };
  const withCalls = (node, words) => {
    let from = 0;
    for (const found of words.matchAll(phone)) {
      node.append(words.slice(from, found.index));
      const link = make("a", "call");
      link.href = `tel:${found[0].replace(/ /g, "")}`;
      link.append(icon("phone"), make("span", "unseen", `${said.call} `), found[0]);
      node.append(link);
      from = found.index + found[0].length;
    }
    node.append(words.slice(from));
  };

  const wordsOf = (item) => {
    if (item.kind === "located") return said.placed;
    return item.kind === "edited" ? `${item.text} (${said.edited})` : item.text;
  };
  const draw = (item) => {
    const line = make("li");
    line.dataset.id = item.id;
    line.dataset.by = item.by;
    if (item.by === "human") {
      const who = make("p", "who-says");
      who.append(icon("user-round"), said.human);
      line.append(who);
    }
    const bubble = make("div", `bubble ${item.by}${item.urgent && item.by === "bot" ? " urgent" : ""}`);
    bubble.dir = "auto";
    if (item.by !== "human") bubble.append(make("span", "unseen", `${item.by === "citizen" ? said.you : said.bot}: `));
    if (item.by === "citizen") bubble.append(wordsOf(item));
    else withCalls(bubble, item.text);
    line.append(bubble);
    if (item.state) line.append(make("p", "state", item.state));
    return line;
  };
  const before = (a, b) => (a.length === b.length ? a < b : a.length < b.length);
  const nearEnd = () => room.scrollHeight - room.scrollTop - room.clientHeight < 160;
  const toEnd = () => { room.scrollTop = room.scrollHeight; };

  const place = (item) => {
    const line = draw(item);
    const old = talk.querySelector(`[data-id="${item.id}"]`);
    if (old) return old.replaceWith(line);
    let next = null;
    for (const other of [...talk.children].reverse()) {
      if (!other.dataset.id.startsWith("mine-") && before(other.dataset.id, item.id)) break;
      next = other;
    }
    if (item.id.startsWith("mine-")) next = null;
    talk.insertBefore(line, next);
    if (line.previousElementSibling && line.previousElementSibling.dataset.by !== item.by) line.classList.add("turned");
  };
  const tell = (region, words) => { // each one a line of its own, so that two in a row are both read
    region.append(make("p", "", words));
    if (region.children.length > 8) region.firstChild.remove();
  };
  const announce = (item) => {
    if (!ready || item.by === "citizen") return;
    const region = item.urgent && item.by === "bot" ? $("assertive") : $("polite");
    tell(region, `${item.by === "human" ? said.human : said.bot}: ${item.text}`);
  };
  const offer = () => {
    const all = [...items.values()].sort((a, b) => (before(a.id, b.id) ? -1 : 1));
    // A question is over when it was answered, or when a human has come.
    const answered = all.findLastIndex((item) => item.by !== "bot" || /joined/.test(item.key));
    const asked = waiting.size ? undefined : all.slice(answered + 1).findLast((item) => item.buttons.length || item.location);
    const key = asked ? asked.id : "";
    if (choices.dataset.of === key) return;
    const focused = choices.contains(document.activeElement);
    choices.dataset.of = key;
    choices.replaceChildren();
    for (const [token, label] of asked ? asked.buttons : []) {
      const button = make("button", "button quiet", label);
      button.type = "button";
      button.addEventListener("click", (event) => tap(token, label, event.isTrusted && event.detail === 0));
      choices.append(button);
    }
    if (asked && asked.location && navigator.geolocation) {
      const button = make("button", "button quiet");
      button.type = "button";
      button.append(icon("map-pin"), said.place);
      button.addEventListener("click", tellPlace);
      choices.append(button);
    }
    if ((byKeyboard || focused) && choices.firstChild) {
      byKeyboard = false;
      choices.firstChild.focus();
    }
  };

  const take = (item) => {
    if (items.has(item.id)) return;
    const follow = nearEnd() || !ready || item.by === "citizen";
    if (item.mine && waiting.has(item.mine)) {
      waiting.delete(item.mine);
      talk.querySelector(`[data-id="mine-${item.mine}"]`)?.remove();
    }
    items.set(item.id, item);
    $("start").hidden = true;
    place(item);
    announce(item);
    offer();
    if (follow) toEnd();
  };

  // Posting: the same id until the server has said yes, so that a repeat has no second effect.
  const newId = () => [...crypto.getRandomValues(new Uint8Array(12))].map((b) => b.toString(16).padStart(2, "0")).join("");
  const mark = (post, state) => place({ id: `mine-${post.id}`, by: "citizen", kind: post.kind, text: post.shows, state, buttons: [] });
  const post = async (job) => {
    for (let pause = 500; ; pause = Math.min(pause * 2, 8000)) {
      try {
        const answer = await fetch(job.url, {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ ...job.data, id: job.id }),
        });
        if (answer.ok) return true;
        if (answer.status < 500) {
          const why = await answer.json().catch(() => ({}));
          return giveBack(job, why.say || said.offline);
        }
      } catch (_) { /* no network: try again */ }
      if (waiting.has(job.id)) mark(job, said.waiting);
      await new Promise((done) => setTimeout(done, pause));
    }
  };
  const giveBack = (job, why) => {
    waiting.delete(job.id);
    talk.querySelector(`[data-id="mine-${job.id}"]`)?.remove();
    if (job.kind === "said" && !text.value) { text.value = job.shows; grow(); }
    trouble(why);
    offer();
    return false;
  };
  const queue = { tail: Promise.resolve() }; // one after the other: the order of words is part of what they say
  const send = (url, data, shows, kind) => {
    const job = { id: newId(), url, data, shows, kind };
    waiting.set(job.id, job);
    ready = true; // whoever writes before the history is through is told what comes back
    trouble("");
    $("start").hidden = true;
    mark(job, "");
    setTimeout(() => waiting.has(job.id) && mark(job, said.sending), 800);
    offer();
    toEnd();
    queue.tail = queue.tail.then(() => post(job));
    connect();
  };
  const say = (words) => send("/chat/messages", { text: words }, words, "said");
  const tap = (token, label, keyboard) => {
    byKeyboard = keyboard;
    if (keyboard) talk.focus({ preventScroll: true });
    send("/chat/taps", { button: token }, label, "tapped");
  };
  const tellPlace = () => navigator.geolocation.getCurrentPosition(
    ({ coords }) => send("/chat/place", { latitude: coords.latitude, longitude: coords.longitude }, said.placed, "located"),
    () => trouble(said.place_failed), { timeout: 10000 });
  const trouble = (words) => {
    $("trouble").textContent = words;
    $("trouble").hidden = !words;
    if (words) { tell($("polite"), words); toEnd(); }
  };

  const grow = () => {
    text.style.height = "auto";
    text.style.height = `${text.scrollHeight + 4}px`;
  };
  $("say").addEventListener("submit", (event) => {
    event.preventDefault();
    const words = text.value.trim();
    if (!words) return text.focus();
    text.value = "";
    grow();
    say(words);
  });
  text.addEventListener("input", grow);
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      $("say").requestSubmit();
    }
  });
  $("person").addEventListener("click", () => say(said.person));

  // Quick exit: forget here and there, and put a harmless page in this one's place.
  const leave = (event) => {
    event?.preventDefault();
    source?.close();
    document.title = "…";
    talk.replaceChildren();
    fetch("/chat/leave", { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}", keepalive: true });
    // A page of our own origin that frames the chat (the demo) may name another harmless page for its frame.
    const own = window.frameElement?.dataset.exit;
    if (own) return window.location.replace(own);
    try { window.top.location.replace($("exit").href); } catch (_) { window.location.replace($("exit").href); }
  };
  $("exit").addEventListener("click", leave);
  let escaped = 0;
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    if (event.timeStamp - escaped < 1000) leave();
    escaped = event.timeStamp;
  });
  window.addEventListener("pageshow", (event) => { if (event.persisted) window.location.reload(); });

  // The stream. EventSource comes back by itself and says where it had been.
  let typing = 0, quiet = 0;
  const connect = () => {
    if (source && source.readyState !== EventSource.CLOSED) return;
    source = new EventSource("/chat/events");
    source.addEventListener("open", () => {
      if (!$("trouble").hidden && $("trouble").textContent === said.offline) trouble("");
      clearTimeout(quiet);
      setTimeout(() => { ready = true; }, 600);
    });
    source.addEventListener("item", (event) => take(JSON.parse(event.data)));
    source.addEventListener("typing", (event) => {
      clearTimeout(typing);
      const on = JSON.parse(event.data).on;
      typing = setTimeout(() => { $("typing").hidden = !on; if (on && nearEnd()) toEnd(); }, on ? 400 : 0);
    });
    source.addEventListener("gone", () => window.location.reload());
    source.addEventListener("error", () => {
      clearTimeout(quiet);
      quiet = setTimeout(() => source.readyState !== EventSource.OPEN && trouble(said.offline), 3000);
      if (source.readyState === EventSource.CLOSED) setTimeout(connect, 2000);
    });
  };
  const greet = () => {
    if (items.size || waiting.size) return;
    fetch("/chat/open", { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" })
      .then(connect).catch(() => {});
  };
  connect();
  if (!navigator.cookieEnabled) trouble(said.cookies);
  // A chat that sits in somebody else's page greets when it is touched, not at every visit of that page.
  const alone = window.top === window || "atOnce" in body.dataset;
  if (alone) setTimeout(greet, 300);
  else document.addEventListener("focusin", greet, { once: true });
})();
