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
  $("fresh").addEventListener("click", () => { Limani.stories.stop(); Limani.fresh(); });
})();
