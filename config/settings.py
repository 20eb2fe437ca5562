"""The only reader of the environment. All errors are told at once, one sentence each.

Values come from the environment, or from the file that LIMANI_ENV_FILE names (the environment wins).
"""

from __future__ import annotations

import base64
import binascii
import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

ROOT = Path(__file__).parent.parent
DEFAULT_PROFILE = Path(__file__).parent / "heraklion"


class SettingsError(Exception):
    """What is wrong with the settings: one sentence a line."""


class Settings(BaseSettings):
    """Everything that a process is told from outside. Names are LIMANI_ and the field in capitals."""

    model_config = SettingsConfigDict(env_prefix="LIMANI_", extra="ignore", frozen=True)

    database_url: str = Field("sqlite:///var/limani.db", description="sqlite:////path or postgresql://...")
    redis_url: str | None = Field(None, description="wake-ups between processes; none is fine")
    public_url: str = Field("http://127.0.0.1:8080", description="how the world reaches this server")
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8080, ge=0, le=65535, description="port to listen on, 0 = any free one")
    profile: Path = Field(DEFAULT_PROFILE, description="folder of the municipality's profile")
    secret_keys: Annotated[tuple[str, ...], NoDecode] = Field((), repr=False)
    roster: Path | None = Field(None, description="a roster file that replaces the profile's own")
    policy: Path | None = Field(None, description="a policy file that replaces the profile's own")
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$")

    telegram_token: SecretStr | None = None
    telegram_secret: SecretStr | None = None
    telegram_api_url: str = "https://api.telegram.org"
    telegram_rate: float = Field(30, gt=0, description="messages a second, all chats together")
    telegram_chat_rate: float = Field(1, gt=0, description="messages a second to one chat, after a burst")
    telegram_polling: bool = Field(False, description="fetch updates where no public address exists")

    viber_token: SecretStr | None = None
    viber_api_url: str = "https://chatapi.viber.com/pa"
    viber_sender: str = Field("Limani", max_length=28)

    twilio_account_sid: str | None = None
    twilio_auth_token: SecretStr | None = None
    twilio_auth_token_old: SecretStr | None = None
    twilio_from: str | None = None
    twilio_api_url: str = "https://api.twilio.com"
    twilio_cps: float = Field(1, gt=0, description="calls started a second, as the account allows")

    rasa_url: str | None = None
    heartbeat_url: str | None = None

    @field_validator("secret_keys", mode="before")
    @classmethod
    def _split_keys(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("secret_keys")
    @classmethod
    def _check_keys(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        for number, key in enumerate(keys, 1):
            try:
                good = len(base64.urlsafe_b64decode(key + "=" * (-len(key) % 4))) == 32
            except (binascii.Error, ValueError):
                good = False
            if not good:
                raise ValueError(f"key {number} is not url-safe base64 of 32 bytes")
        return keys

    @field_validator("public_url", "telegram_api_url", "viber_api_url", "twilio_api_url", "rasa_url")
    @classmethod
    def _check_url(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith(("http://", "https://")):
            raise ValueError("an address begins with http:// or https://")
        return url.rstrip("/") if url else url

    @field_validator("database_url")
    @classmethod
    def _check_database(cls, url: str) -> str:
        if not url.startswith(("sqlite:///", "postgresql://")):
            raise ValueError("the database address begins with sqlite:/// or postgresql://")
        return url

    @field_validator("profile", "roster", "policy")
    @classmethod
    def _check_path(cls, path: Path | None) -> Path | None:
        if path is not None and not path.exists():
            raise ValueError(f"there is no file or folder {path}")
        return path

    @model_validator(mode="after")
    def _check_together(self) -> Settings:
        twilio = (self.twilio_account_sid, self.twilio_auth_token, self.twilio_from)
        if any(twilio) and not all(twilio):
            raise ValueError(
                "LIMANI_TWILIO_ACCOUNT_SID, LIMANI_TWILIO_AUTH_TOKEN and LIMANI_TWILIO_FROM go together"
            )
        if self.telegram_token and not self.telegram_secret and not self.telegram_polling:
            raise ValueError(
                "LIMANI_TELEGRAM_TOKEN needs LIMANI_TELEGRAM_SECRET (or LIMANI_TELEGRAM_POLLING=1)"
            )
        return self


def load_settings(**given: Any) -> Settings:
    """The settings of this process. `given` replaces single ones (the demo, tests).

    Raises SettingsError that lists every mistake with the variable's name."""
    env_file = os.environ.get("LIMANI_ENV_FILE")
    if env_file and not Path(env_file).is_file():
        raise SettingsError(f"LIMANI_ENV_FILE: there is no file {env_file}")
    try:
        return Settings(_env_file=env_file, **given)  # type: ignore[call-arg]
    except ValidationError as error:
        raise SettingsError("\n".join(_sentence(problem) for problem in error.errors())) from None


def _sentence(problem: Any) -> str:
    """One mistake in one sentence, without the value: it may be a secret."""
    name = "_".join(str(part) for part in problem["loc"] if not isinstance(part, int))
    said = problem["msg"].removeprefix("Value error, ")
    return f"LIMANI_{name.upper()}: {said}" if name else said
