"""One spool file to a process, and none that waits for a process that never returns."""

from __future__ import annotations

from pathlib import Path

from bot.spool import Spool
from limani.spools import own_spool
from store.vault import Vault
from tests.bot.floor import said


async def test_two_processes_hold_two_files(tmp_path: Path) -> None:
    first, lock = own_spool(tmp_path, 8080)
    second, other = own_spool(tmp_path, 8080)
    assert (first.name, second.name) == ("spool-8080.log", "spool-8080.1.log")
    lock.close()
    other.close()


async def test_what_a_process_that_is_gone_has_left_is_taken_over(tmp_path: Path, vault: Vault) -> None:
    left, lock = own_spool(tmp_path, 9090)
    await Spool(left, vault).append(said("1001", "u1"))
    with left.open("ab") as torn:
        torn.write(b"half a lin")
    lock.close()  # it died
    mine, lock = own_spool(tmp_path, 8080)
    spool = Spool(mine, vault)
    await spool.append(said("1001", "u2"))
    arrivals, _ = spool.read()
    assert [arrival.provider_key for arrival in arrivals] == ["u1", "u2"]  # type: ignore[union-attr]
    assert not left.exists()
    lock.close()


async def test_a_file_that_somebody_holds_is_left_alone(tmp_path: Path, vault: Vault) -> None:
    theirs, lock = own_spool(tmp_path, 9090)
    await Spool(theirs, vault).append(said("1001", "u1"))
    mine, other = own_spool(tmp_path, 8080)
    assert not mine.exists()
    assert theirs.stat().st_size
    lock.close()
    other.close()


async def test_a_line_that_a_crash_has_cut_in_our_own_file_spoils_no_other(
    tmp_path: Path, vault: Vault
) -> None:
    mine, theirs = tmp_path / "spool-8080.log", tmp_path / "spool-9090.log"
    await Spool(theirs, vault).append(said("1001", "u1"))
    mine.write_bytes(b"cut")
    path, lock = own_spool(tmp_path, 8080)
    arrivals, _ = Spool(path, vault).read()
    assert [arrival.provider_key for arrival in arrivals] == ["u1"]  # type: ignore[union-attr]
    lock.close()
