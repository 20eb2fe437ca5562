// The phones on the desk: the citizen's messengers and the handset of whoever is on call.
"use strict";
Limani.phones = (() => {
  const { $, make, icon, words, post, state } = Limani;
  let skin = "web", person = "", answered = {}, drawn = "";

  // The citizen's phone
  const wear = (name) => {
    skin = name;
    document.querySelector(".spot-citizen .handset").dataset.skin = name;
    $("chat").hidden = name !== "web";
    $("messenger").hidden = name === "web";
    for (const tab of document.querySelectorAll("[data-skin][role=tab]")) tab.setAttribute("aria-selected", tab.dataset.skin === name);
    $("m-name").textContent = name === "web" ? "" : name[0].toUpperCase() + name.slice(1);
    drawn = "";
    drawMessenger();
  };
  const act = (what, said) => post(`/demo/citizen/${skin}`, { act: what, words: said || "" });
  const key = (button) => {
    const node = make("button", "m-button", button.label);
    node.type = "button";
    if (button.type === "location") node.prepend(icon("map-pin"));
    node.addEventListener("click", () => act("tap", button.label));
    return node;
  };
  const rows = (keyboard) => keyboard.map((row) => {
    const line = make("div", "m-row");
    line.append(...row.map(key));
    return line;
  });
  const drawMessenger = () => {
    if (skin === "web") return;
    const screen = state[skin];
    const now = JSON.stringify([skin, screen]);
    if (now === drawn) return;
    drawn = now;
    const talk = $("m-talk");
    talk.replaceChildren(...screen.items.map((item, index) => {
      const line = make("li", `m-line ${item.by}`);
      const bubble = make("div", "m-bubble");
      bubble.dir = "auto";
      if (item.type === "location") bubble.append(icon("map-pin"), words.place);
      bubble.append(item.text);
      bubble.append(make("time", "m-time", clock(item.at * 1000)));
      line.append(bubble);
      const last = !screen.items.slice(index + 1).some((later) => later.by === "citizen");
      if (skin === "telegram" && item.buttons.length && last) line.append(...rows(item.buttons));
      return line;
    }));
    if (!screen.items.length) {
      const open = make("button", "m-button m-open", words.open);
      open.type = "button";
      open.addEventListener("click", () => act("open"));
      const line = make("li", "m-empty", words.start);
      line.append(open);
      talk.append(line);
    }
    $("m-keys").replaceChildren(...rows(screen.keyboard));
    talk.scrollTop = talk.scrollHeight;
  };
  const clock = (at) => new Date(at).toLocaleTimeString(Limani.language, { hour: "2-digit", minute: "2-digit", hour12: false });

  // The handset of whoever is on call
  const living = (call) => call && ["ringing", "in-progress"].includes(call.status);
  const stateOf = (one) => (!living(one.call) ? "quiet" : one.call.status === "ringing" ? "ringing" : "talking");
  const choose = (name) => {
    person = name;
    drawHandset();
  };
  const drawCrew = () => {
    for (const one of state.oncall) {
      const tab = document.querySelector(`[data-person="${one.key}"]`);
      const now = stateOf(one);
      tab.setAttribute("aria-selected", one.key === person);
      tab.dataset.state = now;
      tab.querySelector(".crew-state").textContent = words[now];
    }
  };
  const links = (node, text) => {
    let from = 0;
    for (const found of text.matchAll(/https?:\/\/\S+/g)) {
      node.append(text.slice(from, found.index));
      const link = make("a", "", found[0]);
      link.href = found[0];
      link.target = "_blank"; // a page that takes a case lets nobody frame it
      link.rel = "noopener";
      node.append(link);
      from = found.index + found[0].length;
    }
    node.append(text.slice(from));
  };
  const drawLock = (one) => {
    $("lock-name").textContent = `${one.name}, ${words[one.role] || one.role}`;
    $("lock-hint").hidden = one.sms.length > 0;
    $("notes").replaceChildren(...one.sms.slice().reverse().map((sms) => {
      const note = make("li", "note");
      const head = make("p", "note-head");
      head.append(icon("message-square"), `${words.sms} · Limani · ${clock(sms.at)}`);
      const body = make("p");
      links(body, sms.text);
      note.append(head, body);
      return note;
    }));
  };
  const drawCall = (call) => {
    const ringing = call.status === "ringing";
    $("call-state").textContent = ringing ? words.calls_you : words.talking;
    const lines = call.words.map((said) => make("li", "", said.kind === "play" ? `♪ ${words.recording}` : said.text));
    if ($("captions").children.length !== lines.length || $("captions").dataset.call !== call.id) {
      $("captions").dataset.call = call.id;
      $("captions").replaceChildren(...lines);
      $("captions").scrollTop = $("captions").scrollHeight;
    }
    $("keypad").hidden = ringing;
    for (const button of $("call-acts").children) button.hidden = (button.dataset.act === "hang_up") === ringing;
  };
  const drawHandset = () => {
    const one = state.oncall.find((other) => other.key === person);
    if (!one) return;
    drawCrew();
    const talks = living(one.call);
    const body = $("handset-body");
    body.classList.toggle("ringing", talks && one.call.status === "ringing");
    body.classList.toggle("talking", talks && one.call.status !== "ringing");
    $("lock").hidden = talks;
    $("call-screen").hidden = !talks;
    drawLock(one);
    if (talks) drawCall(one.call);
  };
  const callAct = (what, said) => post(`/demo/oncall/${person}`, { act: what, words: said || "" });

  // A ring tone of our own: two soft notes, only while somebody's phone rings and the visitor wants to hear it.
  let audio = null, loud = true, tone = 0;
  const ringTone = (on) => {
    clearInterval(tone);
    tone = 0;
    if (!on || !loud) return;
    const play = () => {
      audio = audio || new AudioContext();
      if (audio.state !== "running") return void audio.resume();
      [[660, 0], [550, 0.22]].forEach(([pitch, after]) => {
        const note = audio.createOscillator(), volume = audio.createGain();
        const at = audio.currentTime + after;
        note.frequency.value = pitch;
        volume.gain.setValueAtTime(0.0001, at);
        volume.gain.exponentialRampToValueAtTime(0.06, at + 0.03);
        volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.2);
        note.connect(volume).connect(audio.destination);
        note.start(at);
        note.stop(at + 0.22);
      });
    };
    play();
    tone = setInterval(play, 1600);
  };

  const update = (fresh) => {
    Object.assign(state, fresh);
    const rings = state.oncall.find((one) => stateOf(one) === "ringing" && one.call.id !== answered[one.key]);
    const current = state.oncall.find((one) => one.key === person);
    if (!person && state.oncall.length) person = state.oncall[0].key;
    if (rings && (!current || !living(current.call))) {
      person = rings.key;
      answered[rings.key] = rings.call.id;
    }
    drawMessenger();
    drawHandset();
    const anyRings = state.oncall.some((one) => stateOf(one) === "ringing");
    if (anyRings !== Boolean(tone)) ringTone(anyRings);
  };

  for (const tab of document.querySelectorAll("[data-skin][role=tab]")) tab.addEventListener("click", () => wear(tab.dataset.skin));
  for (const tab of document.querySelectorAll("[data-person]")) tab.addEventListener("click", () => choose(tab.dataset.person));
  for (const list of document.querySelectorAll("[role=tablist]")) {
    list.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const tabs = [...list.children];
      const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
      next.focus();
      next.click();
    });
  }
  $("m-say").addEventListener("submit", (event) => {
    event.preventDefault();
    const said = $("m-text").value.trim();
    $("m-text").value = "";
    if (said) act("say", said);
  });
  $("m-place").addEventListener("click", () => act("place"));
  $("keypad").addEventListener("click", (event) => event.target.dataset.key && callAct("key", event.target.dataset.key));
  $("call-acts").addEventListener("click", (event) => {
    const button = event.target.closest("[data-act]");
    if (button) callAct(button.dataset.act);
  });
  $("sound").addEventListener("click", () => {
    loud = !loud;
    $("sound").setAttribute("aria-pressed", loud);
    $("sound").querySelector("span").textContent = loud ? words.sound_on : words.sound_off;
    ringTone(loud && state.oncall.some((one) => stateOf(one) === "ringing"));
  });
  const tick = () => { $("clock").textContent = clock(Date.now()); };
  tick();
  setInterval(tick, 5000);
  return { update, wear, choose, act, get skin() { return skin; }, get person() { return person; } };
})();
