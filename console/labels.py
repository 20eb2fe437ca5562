"""Answers in words: the short name of each question and the label of the button that was tapped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from console.words import catalogue
from flows.model import Ask, Collect, Flow, Library


@dataclass(frozen=True, slots=True)
class Labels:
    """Reads the flows' own texts. Without a library the catalogue's names and the bare values remain."""

    library: Library | None = None

    def of(self, topic: str, answers: Mapping[str, Any], language: str) -> list[tuple[str, str]]:
        """Question and answer of each slot, in the order in which they were given."""
        return [(self._name(topic, slot, language), self._value(topic, slot, value, language))
                for slot, value in answers.items() if value not in (None, "")]  # fmt: skip

    def _name(self, topic: str, slot: str, language: str) -> str:
        for key in self._questions(topic, slot):
            message = self.library.find(key, language) if self.library else None
            if message is not None and message.short:
                return message.short
        return catalogue(language).get(f"answer.{slot}", slot.replace("_", " "))

    def _value(self, topic: str, slot: str, value: Any, language: str) -> str:
        if isinstance(value, bool):
            return catalogue(language)["yesno.yes" if value else "yesno.no"]
        for key in self._questions(topic, slot):
            option = self.library.option(key, str(value), language) if self.library else None
            if option is not None:
                return option.label
        return str(value)

    def _questions(self, topic: str, slot: str) -> Iterator[str]:
        """Text keys of the questions that fill a slot; those of the topic's own flow come first."""
        flows = self.library.flows.values() if self.library else ()
        for flow in sorted(flows, key=lambda flow: flow.topic != topic):
            yield from _asking(flow, slot)


def _asking(flow: Flow, slot: str) -> Iterator[str]:
    for node in flow.nodes.values():
        if isinstance(node, Ask | Collect) and node.slot == slot:
            yield f"{flow.name}.{node.text}"
