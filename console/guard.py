"""What protects every page: response headers, the cookie, and the two checks of each change (CSRF).

Pure functions of a request; docs/console.md says which threat each answers.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from aiohttp import web

from store.vault import Vault

_PURPOSE = "console csrf"


class Guard:
    """Knows our public address: it decides the cookie's name and which origins may post."""

    def __init__(self, public_url: str, vault: Vault) -> None:
        parts = urlsplit(public_url)
        self._vault = vault
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self.https = parts.scheme == "https"
        self.cookie = "__Host-limani" if self.https else "limani"
        self.device_cookie = "__Host-limani-device" if self.https else "limani-device"
        self.door_cookie = "__Host-limani-door" if self.https else "limani-door"
        self.language_cookie = "limani-language"

    def set_cookie(self, response: web.StreamResponse, name: str, value: str, seconds: int) -> None:
        """Sets a cookie that scripts and other sites never see."""
        options = {"path": "/", "httponly": True, "samesite": "Lax", "secure": self.https}
        response.set_cookie(name, value, max_age=seconds, **options)  # type: ignore[arg-type]

    def form_token(self, bound_to: str) -> str:
        """The token that a form carries back; it is good for one session alone."""
        return self._vault.sign(_PURPOSE, bound_to)

    def may_change(self, request: web.Request, bound_to: str, given: str) -> bool:
        """Whether a change really comes from one of our own pages of this very session."""
        return self.same_origin(request) and self._vault.verify(_PURPOSE, bound_to, given)

    def same_origin(self, request: web.Request) -> bool:
        """Whether the browser says that our own page asked. Browsers without Sec-Fetch-Site send Origin;
        what sends neither is no browser, and still has to know the form token."""
        site = request.headers.get("Sec-Fetch-Site")
        if site is not None:
            return site == "same-origin"
        origin = request.headers.get("Origin")
        return origin is None or origin in (self._origin, f"{request.scheme}://{request.host}")

    def dress(self, response: web.StreamResponse, nonce: str) -> None:
        """Puts the security headers on a page. `nonce` is the one that its own scripts carry."""
        response.headers.update(
            {
                "Content-Security-Policy": _policy(nonce),
                "X-Content-Type-Options": "nosniff",
                "Referrer-Policy": "same-origin",  # no-referrer would make browsers post with Origin: null
                "Cross-Origin-Opener-Policy": "same-origin",
                "Cross-Origin-Resource-Policy": "same-origin",
                "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
                "X-Frame-Options": "SAMEORIGIN",
                "Cache-Control": "no-store",
            }
        )
        if self.https:
            response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"


def _policy(nonce: str) -> str:
    return (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self'; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'self'; base-uri 'none'; object-src 'none'"
    )
