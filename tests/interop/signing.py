"""Lets the official Python SDK verify what we sign, and us verify what it signs.

Run by `cargo xtask interop`: signing.py PROGRAM, where PROGRAM is the example `interop` of adcp-signing.
"""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Callable
from typing import Any

from adcp.signing import crypto, standard_webhooks, webhook_hmac
from adcp.signing.errors import SignatureVerificationError
from adcp.signing.jwks import StaticJwksResolver
from adcp.signing.signer import sign_request
from adcp.signing.verifier import VerifierCapability, VerifyOptions, verify_request_signature
from adcp.signing.webhook_signer import sign_webhook
from adcp.signing.webhook_verifier import WebhookVerifyOptions, verify_webhook_signature
from adcp.webhooks import get_adcp_signed_headers_for_webhook
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

NOW = 1_800_000_000
BODY = '{"idempotency_key":"whk_0123456789abcdef","status":"completed","text":"\u00fcber"}'
TYPE = {"Content-Type": "application/json"}
SECRET = "a shared secret of 32 characters"
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

# Addresses on whose canonical form both sides agree.
URLS = [
    "https://peer.example/hooks/7",
    "https://Peer.Example:443/a/./b/../c",
    "https://peer.example:8443/a//b?b=2&a=1+%2f",
    "https://peer.example/%7ea%2fb%c3%a9",
    "https://[2001:DB8::7]:443/x",
]


class Ours:
    """Our program, asked one line at a time."""

    def __init__(self, program: str) -> None:
        self.process = subprocess.Popen([program, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, **command: Any) -> dict[str, Any]:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps({"now": NOW, **command}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "our program ended"
        return json.loads(line)

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(timeout=10)


def key(algorithm: str, purpose: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A private JWK and its public half."""
    members: dict[str, Any] = {"kid": "key-1", "use": "sig", "key_ops": ["verify"], "adcp_use": purpose}
    if algorithm == "ed25519":
        pair = ed25519.Ed25519PrivateKey.generate()
        raw = pair.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        secret = pair.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        members |= {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": crypto.b64url_encode(raw)}
    else:
        numbers = ec.generate_private_key(ec.SECP256R1()).private_numbers()
        point = numbers.public_numbers
        x, y, secret = (n.to_bytes(32, "big") for n in (point.x, point.y, numbers.private_value))
        members |= {"kty": "EC", "crv": "P-256", "alg": "ES256"}
        members |= {"x": crypto.b64url_encode(x), "y": crypto.b64url_encode(y)}
    return {**members, "d": crypto.b64url_encode(secret)}, members


def theirs_verify(kind: str, url: str, headers: dict[str, str], body: str, jwks: dict[str, Any]) -> str:
    """The code with which the SDK refuses, or nothing."""
    given = {"method": "POST", "url": url, "headers": headers, "body": body.encode()}
    resolver = StaticJwksResolver(jwks)
    try:
        if kind == "webhook":
            verify_webhook_signature(**given, options=WebhookVerifyOptions(jwks_resolver=resolver, clock=lambda: NOW))
        else:
            capability = VerifierCapability(covers_content_digest="required")
            options = VerifyOptions(now=NOW, capability=capability, operation="x", jwks_resolver=resolver)
            verify_request_signature(**given, options=options)
    except SignatureVerificationError as error:
        return error.code
    return ""


def theirs_sign(kind: str, url: str, private: dict[str, Any], algorithm: str) -> dict[str, str]:
    given: dict[str, Any] = {
        "method": "POST",
        "url": url,
        "headers": TYPE,
        "body": BODY.encode(),
        "private_key": crypto.private_key_from_jwk(private),
        "key_id": "key-1",
        "alg": algorithm,
        "created": NOW,
    }
    signed = sign_webhook(**given) if kind == "webhook" else sign_request(**given, cover_content_digest=True)
    return signed.as_dict()


def equal(found: Any, wanted: Any, what: str) -> None:
    assert found == wanted, f"{what}: expected {wanted!r}, got {found!r}"


def signatures(ours: Ours, kind: str, algorithm: str) -> None:
    """Each side verifies the other, and both refuse another body with the same code."""
    private, public = key(algorithm, f"{kind}-signing")
    jwks = {"keys": [public]}
    for url in URLS:
        request = {"method": "POST", "url": url, "headers": TYPE, "body": BODY}
        by_us = ours.ask(do="sign", kind=kind, key=private, request=request)["headers"]
        by_them = theirs_sign(kind, url, private, algorithm)
        for signer, fields in [("ours", by_us), ("theirs", by_them)]:
            headers = {**TYPE, **fields}
            for body, wanted in [(BODY, ""), ("{}", f"{kind}_signature_digest_mismatch")]:
                request = {"method": "POST", "url": url, "headers": headers, "body": body}
                found = ours.ask(do="verify", kind=kind, jwks=jwks, request=request)
                equal(found, {"error": wanted}, f"we verify {signer} at {url}")
                equal(theirs_verify(kind, url, headers, body, jwks), wanted, f"they verify {signer} at {url}")


def keyed_hash(ours: Ours) -> None:
    """The keyed hash of AdCP 2, both ways."""
    payload = {"idempotency_key": "whk_0123456789abcdef", "status": "completed"}
    body = json.dumps(payload, separators=(",", ":"))
    by_us = ours.ask(do="sign", kind="hmac", secret=SECRET, request={"body": body})["headers"]
    options = webhook_hmac.LegacyWebhookHmacOptions(secret=SECRET.encode(), sender_identity="us", now=NOW)
    webhook_hmac.verify_webhook_hmac(headers=by_us, body=body.encode(), options=options)
    by_them = get_adcp_signed_headers_for_webhook({}, SECRET, NOW, payload)
    equal({name.lower(): value for name, value in by_them.items()}, by_us, "the two sides' fields")
    found = ours.ask(do="verify", kind="hmac", secret=SECRET, request={"body": body, "headers": by_them})
    equal(found, {"error": ""}, "we verify theirs")


def standard_headers(ours: Ours) -> None:
    """The headers of Standard Webhooks, both ways."""
    secret = standard_webhooks.decode_secret(WHSEC)
    by_us = ours.ask(do="sign", kind="standard", secret=WHSEC, request={"body": BODY})["headers"]
    standard_webhooks.verify_standard_webhook(headers=by_us, body=BODY.encode(), secret=secret, now=NOW)
    by_them = standard_webhooks.sign_standard_webhook(
        secret=secret, msg_id="msg_1", timestamp=NOW, body=BODY.encode()
    )
    equal(by_them, by_us, "the two sides' fields")
    found = ours.ask(do="verify", kind="standard", secret=WHSEC, request={"body": BODY, "headers": by_them})
    equal(found, {"error": ""}, "we verify theirs")


def main(program: str) -> int:
    warnings.simplefilter("ignore", DeprecationWarning)
    checks: list[tuple[str, Callable[[Ours], None]]] = [
        (f"{kind}s signed with {algorithm}", lambda ours, kind=kind, algorithm=algorithm: signatures(ours, kind, algorithm))
        for kind in ("webhook", "request")
        for algorithm in ("ed25519", "ecdsa-p256-sha256")
    ]
    checks += [("the keyed hash", keyed_hash), ("the headers of Standard Webhooks", standard_headers)]
    ours = Ours(program)
    failed = 0
    for name, check in checks:
        try:
            check(ours)
        except Exception as error:  # A check may fail in any way; the next one runs all the same.
            failed += 1
            print(f"FAILED  {name}\n        {type(error).__name__}: {error}")
        else:
            print(f"ok      {name}")
    ours.close()
    print(f"signatures: {len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
