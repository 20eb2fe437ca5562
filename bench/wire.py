"""How a server under load tells the generator what it has handed to its transport: a socket pair.

One datagram per request: nanoseconds of the monotonic clock (the same in all processes of a machine), the
chat, the text and the keyboard. The same few microseconds for every peer.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

ENV = "BENCH_WIRE"  # number of the socket that a server has inherited
_BUFFER = 8 * 1024 * 1024
_MESSAGE = (
    b'{"ok":true,"result":{"message_id":%d,"from":{"id":100001,"is_bot":true,"first_name":"Bench",'
    b'"username":"bench_bot"},"chat":{"id":%d,"first_name":"Citizen","type":"private"},'
    b'"date":1795600000,"text":"taken"}}'
)
_TRUE = b'{"ok":true,"result":true}'
_ME = b'{"ok":true,"result":{"id":100001,"is_bot":true,"first_name":"Bench","username":"bench_bot"}}'


@dataclass(frozen=True, slots=True)
class Handed:
    """One message that a server gave to its transport, at `at` nanoseconds."""

    at: int
    chat: int
    text: str
    markup: str


class Stub:
    """Telegram as the lowest transport sees it: answers at once, and tells the generator of each message."""

    def __init__(self) -> None:
        self._wire = socket.socket(fileno=int(os.environ[ENV]))
        self._number = 0

    def answer(self, url: str, form: Mapping[str, str]) -> tuple[int, bytes]:
        """The canned answer to a Bot API request."""
        method = url.rpartition("/")[2]
        if method == "sendMessage":
            return 200, self._sent(form)
        return 200, _ME if method == "getMe" else _TRUE

    def _sent(self, form: Mapping[str, str]) -> bytes:
        self._number += 1
        chat, words = form["chat_id"], form["text"]
        note = f"{time.monotonic_ns()}\0{chat}\0{words}\0{form.get('reply_markup', '')}"
        self._wire.send(note.encode())
        return _MESSAGE % (self._number, int(chat))


class Wire:
    """The generator's end. `hear` is called for each message that was handed over."""

    def __init__(self) -> None:
        self._mine, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (self._mine, self.theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
        self._mine.setblocking(False)
        self.hear: Callable[[Handed], None] = lambda handed: None

    def open(self) -> None:
        """Begins to listen, on the running loop."""
        self.theirs.close()
        asyncio.get_running_loop().add_reader(self._mine, self._read)

    def close(self) -> None:
        """Ends it."""
        asyncio.get_running_loop().remove_reader(self._mine)
        self._mine.close()

    def _read(self) -> None:
        while True:
            try:
                note = self._mine.recv(65536)
            except BlockingIOError:
                return
            if not note:  # the server has ended
                asyncio.get_running_loop().remove_reader(self._mine)
                return
            at, chat, words, markup = note.decode().split("\0", 3)
            self.hear(Handed(int(at), int(chat), words, markup))
