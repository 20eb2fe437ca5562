// The rail: beads on a line. The time of each is counted from the citizen's message before it.
"use strict";
Limani.rail = (() => {
  const { $, make, icon, words, state } = Limani;
  const icons = {
    stored: "inbox", understood: "brain", answered: "reply", ticket: "ticket", page: "siren", ringing: "phone-incoming",
    sms: "message-square", picked_up: "phone-call", key: "key-round", call_over: "phone-off", joined: "handshake",
    human_word: "user-round", exhausted: "triangle-alert", closed: "circle-check",
  };
  const beads = [];
  const nameOf = (who) => state.oncall.find((one) => one.key === who)?.name || { web: "web", telegram: "Telegram", viber: "Viber" }[who] || who;
  const since = (index) => {
    for (let i = index; i >= 0; i -= 1) if (beads[i].kind === "stored") return beads[index].at - beads[i].at;
    return null;
  };
  const seconds = new Intl.NumberFormat(Limani.language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const time = (ms) => (ms < 1000 ? `+${ms} ${words.ms}` : `+${seconds.format(ms / 1000)} ${words.s}`);
  const draw = (bead, index) => {
    const line = make("li", `bead ${bead.kind}${bead.risk ? ` risk-${bead.risk}` : ""}`);
    const dot = make("span", "bead-dot");
    dot.append(icon(icons[bead.kind] || "circle-dot"));
    const what = make("span", "bead-what", words[`b_${bead.kind}`] || bead.kind);
    const more = [bead.ref, nameOf(bead.who), words[`risk_${bead.risk}`]].filter(Boolean).join(" · ");
    const ms = since(index);
    const exact = new Date(bead.at);
    const stamp = make("time", "bead-time", bead.kind === "stored" || ms === null
      ? exact.toLocaleTimeString(Limani.language, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false }) : time(ms));
    stamp.dateTime = exact.toISOString();
    stamp.title = `${exact.toLocaleTimeString(Limani.language, { hour12: false })}.${String(exact.getMilliseconds()).padStart(3, "0")}`;
    line.append(dot, what, make("span", "bead-more", more), stamp);
    return line;
  };
  let due = 0;
  const add = (bead) => {
    beads.push(bead);
    beads.sort((a, b) => a.at - b.at || Object.keys(icons).indexOf(a.kind) - Object.keys(icons).indexOf(b.kind));
    if (!due) due = requestAnimationFrame(() => {
      due = 0;
      $("rail-empty").hidden = true;
      const first = Math.max(0, beads.length - 120);
      $("beads").replaceChildren(...beads.slice(first).map((one, index) => draw(one, first + index)));
      $("beads").scrollLeft = $("beads").scrollWidth;
    });
  };
  const last = (kind, from) => beads.findLast((bead) => bead.kind === kind && bead.at >= from);
  return { add, last };
})();
