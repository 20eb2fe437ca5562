// The page's own life: the stream that feeds phones and rail, and the button for another citizen.
"use strict";
(() => {
  const { $, post, phones, rail, words } = Limani;
  const source = new EventSource("/demo/events");
  source.addEventListener("bead", (event) => rail.add(JSON.parse(event.data)));
  source.addEventListener("phones", (event) => phones.update(JSON.parse(event.data)));
  source.addEventListener("open", () => { if ($("teller-words").textContent === words.lost) $("teller").hidden = true; });
  source.addEventListener("error", () => {
    $("teller-words").textContent = words.lost;
    $("teller").hidden = false;
  });
  Limani.fresh = async () => {
    await post("/demo/fresh", { language: Limani.language });
    await post("/chat/leave", {});
    const frame = $("chat");
    const loaded = new Promise((done) => frame.addEventListener("load", done, { once: true }));
    frame.src = `/chat/?lang=${Limani.language}&open=now`;
    await loaded;
  };
  // The console speaks the language of its account: once, at the start, it is asked to speak the page's.
  $("console-page").addEventListener("load", () => {
    const page = $("console-page").contentDocument;
    const other = page?.querySelector(`form[action="/console/language"] [name=language][value="${Limani.language}"]`);
    if (page && page.documentElement.lang !== Limani.language && other) other.click();
  }, { once: true });
  $("fresh").addEventListener("click", () => { Limani.stories.stop(); Limani.fresh(); });
})();
