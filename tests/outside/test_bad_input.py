"""Whatever comes in: a clear error or a kind answer, and nothing is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aiohttp

from tests.outside.product import Product
from tests.outside.test_danger import ELENI, RED


async def _post(product: Product, body: bytes) -> int:
    headers = {"X-Telegram-Bot-Api-Secret-Token": "outside-secret", "Content-Type": "application/json"}
    url = f"{product.url}/webhooks/telegram"
    async with aiohttp.ClientSession() as http, http.post(url, data=body, headers=headers) as answer:
        return answer.status


async def test_bodies_that_nobody_understands_are_taken_and_block_nobody(product: Product) -> None:
    bodies = [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe\x00",
        b'{"update_id": "x"}',
        json.dumps({"update_id": 5, "message_reaction": {"chat": {"id": 80}}}).encode(),
        json.dumps({"update_id": 6, "message": {"chat": {"id": 80, "type": "private"}}}).encode(),
        json.dumps({"update_id": 7, "message": {"message_id": {}, "text": 7, "chat": []}}).encode(),
        b'{"a":' * 2000 + b"1" + b"}" * 2000,
        b'{"update_id": 8, "message": "' + b"x" * 900_000 + b'"}',
    ]
    assert [await _post(product, body) for body in bodies] == [200] * len(bodies)
    phone = product.telegram.phone(80)
    await phone.says("καλημέρα")
    await phone.expects(lambda shown: bool(shown.text))


STRANGE = (
    "🙂🙂🙂",
    "مرحبا، أحتاج إلى طعام",
    "\u202e" + "אני צריך אוכל",
    "x" * 4096,
    "\u0000\u200b\u2066",
    "a\ufe0f\u0301" * 500,
)


async def test_strange_texts_get_a_kind_answer(product: Product) -> None:
    for number, text in enumerate(STRANGE):
        phone = product.telegram.phone(810 + number)
        await phone.says(text)
        shown = await phone.expects(lambda one: one.by == "bot" and len(one.text) > 10)
        assert shown.by == "bot"


async def test_danger_in_the_middle_of_80_kilobytes_is_found(product: Product) -> None:
    filler = "Σας γράφω για τα χαρτιά μου που περιμένω καιρό. " * 850
    viber = product.viber.phone("bGFyZ2U=", "Maria")
    await viber.says(filler + RED + ". " + filler)
    await product.twilio.phone(ELENI).rings()
    ticket = await product.ticket(lambda one: one["risk"] == "red")
    assert any(len(entry["text"]) > 80_000 for entry in ticket["entries"])


async def test_all_wrong_settings_are_named_at_once(tmp_path: Path) -> None:
    wrong = {
        "LIMANI_PORT": "many",
        "LIMANI_DATABASE_URL": "mysql://x",
        "LIMANI_SECRET_KEYS": "short",
        "LIMANI_PROFILE": "/nowhere",
        "LIMANI_TELEGRAM_API_URL": "ftp://x",
    }
    code, out, err = await _serve(Product(tmp_path, f"sqlite:///{tmp_path / 'l.db'}", extra=wrong))
    assert (code, out) == (2, "")
    assert [name for name in wrong if name not in err] == []
    assert "Traceback" not in err


async def _serve(product: Product) -> tuple[int, str, str]:
    """`limani serve` that is expected to refuse."""
    for stand_in in (product.telegram, product.viber, product.twilio):
        await stand_in.start()
    ended = await product.cli("serve")
    for stand_in in (product.telegram, product.viber, product.twilio):
        await stand_in.stop()
    return ended


async def test_a_broken_roster_is_named_with_its_line(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("people: {eleni: {phone: 12}}")
    product = Product(tmp_path, f"sqlite:///{tmp_path / 'l.db'}", extra={"LIMANI_ROSTER": str(bad)})
    code, _, err = await _serve(product)
    assert code == 2
    assert "bad.yaml:1" in err
    assert "Traceback" not in err


async def test_understand_echoes_every_line_in_order(product: Product) -> None:
    texts = ["", "θέλω φαγητό", "🙂", "x" * 80_000, "8elw na autoktonisw"]
    code, out, _ = await product.cli("understand", stdin="\n".join(texts) + "\n")
    read: list[dict[str, Any]] = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [one["text"] for one in read] == texts
    assert (read[0]["intent"], read[0]["risk"]) == ("other", "none")
    assert read[1]["intent"] == "food_aid"
    assert (read[4]["risk"], read[4]["risk_kind"]) == ("red", "suicide")
