// Three stories that play themselves, at a pace that one can read, through the very doors that visitors use.
// A touch or a key of the visitor ends the play: from there on the story is the visitor's.
"use strict";
Limani.stories = (() => {
  const { $, state, phones, words, pause, rail } = Limani;
  const greek = Limani.language === "el";
  const say = (el, en) => ({ say: greek ? el : en });
  const tap = (label) => ({ tap: label });
  const REF = /\b[A-Z]{2,5}-[0-9A-Z]{4}\b/;

  // The first rule that fits the bot's words and can be done is done.
  const first = [[/Είναι σωστά;|Is it right\?/, tap(/^(Στείλτε το|Send it)$/)]];
  const common = [
    [/τηλέφωνο|number/i, tap(/^(Παράλειψη|Skip)$/)],
    [/τηλέφωνο|number/i, say("6900001234", "6900001234")],
  ];
  const plays = {
    food: {
      opens: say("Καλησπέρα. Τελείωσε το φαγητό στο σπίτι, είμαστε τέσσερις.", "Good evening. We have run out of food, we are a family of four."),
      rules: [
        ...first,
        [/για σήμερα και αύριο|for today and tomorrow/i, tap(/Όχι, τίποτα|No, nothing/)],
        [/Πόσα άτομα|How many people/i, say("4", "4")],
        [/παιδιά κάτω|children under/i, say("2", "2")],
        [/Πόσα χρήματα|How much money/i, tap(/Έως 400|Up to 400/)],
        [/γειτονιά|neighbourhood/i, say("Πόρος, κοντά στο σχολείο", "Poros, near the school")],
        [/Τι άλλο να|What else should/i, say("Το μικρό έχει αλλεργία στο γάλα.", "The little one is allergic to milk.")],
        ...common,
      ],
    },
    bed: {
      opens: say("Απόψε δεν έχω πού να κοιμηθώ.", "I have nowhere to sleep tonight."),
      rules: [
        ...first,
        [/Για ποιον|For whom/i, tap(/Για μένα|For me/)],
        [/θα κοιμηθείτε|will you sleep/i, tap(/Σε αυτοκίνητο|In a car/)],
        [/τρέμετε|shivering/i, tap(/Όχι, τίποτα|none of these/)],
        [/άτομα είστε|people are you/i, say("1", "1")],
        [/εγκυμοσύνη|pregnancy/i, say("Έχω άσθμα.", "I have asthma.")],
        [/Πού είστε τώρα|Where are you now/i, say("Πλατεία Κορνάρου, δίπλα στο περίπτερο", "Kornarou Square, next to the kiosk")],
        ...common,
      ],
    },
    crisis: {
      opens: say("Δεν αντέχω άλλο. Δεν θέλω να ζω.", "I cannot go on. I do not want to live."),
    },
  };

  // What the citizen's phone shows, whichever skin it wears.
  const seen = () => {
    if (phones.skin === "web") {
      const page = $("chat").contentDocument;
      const lines = [...(page?.querySelectorAll("#talk > li") || [])];
      const items = lines.map((line) => ({ by: line.dataset.by === "citizen" ? "citizen" : "bot", text: line.textContent }));
      return { items, labels: [...(page?.querySelectorAll("#choices button") || [])].map((button) => button.textContent) };
    }
    const screen = state[phones.skin];
    const newest = screen.items.slice(acted).findLast((item) => item.by === "bot" && item.buttons.length);
    const labels = [...(newest ? newest.buttons : []), ...screen.keyboard].flat().map((button) => button.label);
    return { items: screen.items, labels };
  };
  // What the bot has said since the citizen did something last. A tap on Telegram leaves no line, so lines are counted.
  let acted = 0;
  const acting = () => { acted = seen().items.length; };
  const lastWords = () => seen().items.slice(acted).filter((item) => item.by !== "citizen").map((item) => item.text).join("\n");
  const write = async (text) => {
    const field = phones.skin === "web" ? $("chat").contentDocument.getElementById("text") : $("m-text");
    for (const letter of text) {
      check();
      field.value += letter;
      await pause(text.length > 4 ? 26 : 90);
    }
    field.dispatchEvent(new Event("input"));
    await pause(350);
    check();
    acting();
    field.form.requestSubmit();
  };
  const press = async (label) => {
    const all = phones.skin === "web" ? $("chat").contentDocument.querySelectorAll("#choices button") : document.querySelectorAll(".m-button");
    const button = [...all].findLast((one) => label.test(one.textContent));
    if (!button) return false;
    button.classList.add("pressed");
    await pause(450);
    check();
    acting();
    button.click();
    return true;
  };

  class Stopped extends Error {}
  let playing = 0;
  const check = (of = playing) => { if (!playing || of !== playing) throw new Stopped(); };
  const until = async (true_, most = 20000) => {
    const me = playing;
    for (let waited = 0; waited < most; waited += 100) {
      check(me);
      const found = true_();
      if (found) return found;
      await pause(100);
    }
    return null;
  };
  const read = (text) => pause(Math.min(3200, 700 + text.length * 14)); // time to read it
  const settled = async () => {
    await until(() => lastWords());
    let before = "";
    while (before !== lastWords()) {
      before = lastWords();
      await pause(700);
      check();
    }
    return before;
  };

  const converse = async (rules) => {
    for (let step = 0; step < 18; step += 1) {
      const told = await settled();
      await read(told);
      check();
      if (REF.test(told)) return;
      const { labels } = seen();
      const rule = rules.find(([when, what]) => when.test(told) && (what.say || labels.some((label) => what.tap.test(label))));
      if (!rule) return;
      if (rule[1].say) await write(rule[1].say);
      else await press(rule[1].tap);
    }
  };

  // The responder's side of the third story.
  const onCall = (name) => state.oncall.find((one) => one.key === name);
  const doOnPhone = (selector) => document.querySelector(selector).click();
  const keyOf = (call) => call.words.map((said) => said.text.match(/(?:πατήστε το|press) (\d)/)?.[1]).findLast(Boolean);
  const takeCall = async () => {
    const name = (await until(() => state.oncall.find((one) => one.call?.status === "ringing"), 15000))?.key;
    if (!name) return null;
    phones.choose(name);
    await pause(3600); // let it ring, so that everybody sees it
    check();
    doOnPhone("[data-act=pick_up]");
    for (let taken = 0, last = ""; taken < 2;) {
      const key = await until(() => { const now = keyOf(onCall(name).call); return now && now !== last ? now : null; }, 15000);
      if (!key) break;
      await pause(2600);
      check();
      const button = document.querySelector(`#keypad [data-key="${key}"]`);
      button.classList.add("pressed");
      setTimeout(() => button.classList.remove("pressed"), 500);
      button.click();
      last = key;
      taken += 1;
    }
    return name;
  };
  const desk = () => $("console-page").contentDocument;
  const open = async (path) => {
    const frame = $("console-page");
    const loaded = new Promise((done) => frame.addEventListener("load", done, { once: true }));
    frame.contentWindow.location.assign(path);
    await Promise.race([loaded, pause(5000)]);
  };
  const answer = async (text) => {
    const field = await until(() => desk()?.querySelector("form.reply textarea"), 10000);
    if (!field) return false;
    field.value = "";
    for (const letter of text) {
      check();
      field.value += letter;
      await pause(22);
    }
    field.dispatchEvent(new Event("input", { bubbles: true }));
    await pause(400);
    field.form.requestSubmit(field.form.querySelector("button"));
    return true;
  };
  const crisis = async (began) => {
    const told = await settled();
    const opened = await until(() => rail.last("ticket", began), 8000);
    await read(told);
    if (!(await takeCall())) return;
    await until(() => rail.last("joined", began), 10000);
    await open(`/console/tickets/${opened.ref}`);
    await pause(1200);
    await answer(greek ? "Γεια σας, είμαι η Ελένη, ψυχολόγος του Δήμου. Είμαι εδώ και σας διαβάζω." : "Hello, I am Eleni, a psychologist of the municipality. I am here and I read you.");
    await until(() => rail.last("human_word", began), 8000);
    await pause(2600);
    await write(greek ? "Ευχαριστώ που απαντήσατε. Είμαι μόνος στο σπίτι." : "Thank you for answering. I am alone at home.");
    await pause(3600);
    await answer(greek ? "Μένω μαζί σας όσο χρειαστεί. Θέλετε να σας καλέσω τώρα;" : "I stay with you as long as you need. May I call you now?");
    await pause(3000);
  };

  const tell = (text, stoppable) => {
    $("teller-words").textContent = stoppable ? "" : text; // the story's own button says its name
    $("teller").hidden = !text;
    $("teller-stop").hidden = !stoppable;
  };
  const mark = (name) => {
    for (const button of document.querySelectorAll("[data-story]")) button.classList.toggle("on", button.dataset.story === name);
  };
  const stop = (said = "") => {
    if (!playing) return;
    playing = 0;
    mark("");
    tell(said, false);
    if (said) setTimeout(() => $("teller-words").textContent === said && tell("", false), 4000);
  };
  const play = async (name) => {
    stop();
    const me = Date.now();
    playing = me;
    mark(name);
    tell(document.querySelector(`[data-story=${name}]`).textContent.trim(), true);
    try {
      acted = 0;
      await Limani.fresh();
      watch();
      await until(() => phones.skin !== "web" || $("chat").contentDocument?.querySelector("#talk > li"), 4000);
      await pause(1400);
      check(me);
      await write(plays[name].opens.say);
      if (name === "crisis") await crisis(me - 500);
      else await converse(plays[name].rules);
      check(me);
      stop();
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
    }
  };

  // Whatever the visitor does with a phone or the console by hand, also inside the frames, takes the story over.
  const takesOver = (event) => {
    if (!event.isTrusted || !playing) return;
    if (event.type === "keydown" && ["Tab", "Shift", "Control", "Alt", "Meta"].includes(event.key)) return;
    stop(words.yours);
  };
  const watch = () => {
    for (const frame of [$("chat"), $("console-page")]) {
      const page = frame.contentDocument;
      if (!page || page.limaniWatched) continue;
      page.limaniWatched = true;
      page.addEventListener("pointerdown", takesOver);
      page.addEventListener("keydown", takesOver);
    }
  };
  for (const spot of document.querySelectorAll(".spot")) {
    spot.addEventListener("pointerdown", takesOver);
    spot.addEventListener("keydown", takesOver);
  }
  for (const frame of [$("chat"), $("console-page")]) frame.addEventListener("load", watch);
  for (const button of document.querySelectorAll("[data-story]")) button.addEventListener("click", () => play(button.dataset.story));
  $("teller-stop").addEventListener("click", () => stop(words.yours));
  return { play, stop, get playing() { return Boolean(playing); } };
})();
