"""Writes the signature vectors beside this file, with the Python package `cryptography` and nothing of ours.

Canonical addresses are given by hand, so that no code of ours or of others decides what is right. ECDSA signatures are
random: a second run writes other bytes for them, and as good ones.
"""

from __future__ import annotations

import base64
import hashlib
import json
import pathlib
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HERE = pathlib.Path(__file__).parent
NOW = 1_800_000_000
BODY = '{"idempotency_key":"whk_0123456789abcdef","status":"completed"}'
URL = "https://peer.example/adcp/hook"


def url64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def std64(data: bytes) -> str:
    return base64.b64encode(data).decode()


class Key:
    """One key pair, with the document that publishes it."""

    def __init__(self, kid: str, purpose: str, curve: str = "Ed25519", /, **members: Any) -> None:
        self.kid = kid
        seed = hashlib.sha256(f"adcp-signing test {kid}".encode()).digest()
        if curve == "Ed25519":
            self.alg = "ed25519"
            self.private: Any = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
            raw = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
            public = {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": url64(raw)}
        else:
            self.alg = "ecdsa-p256-sha256"
            self.private = ec.derive_private_key(int.from_bytes(seed, "big") >> 1, ec.SECP256R1())
            point = self.private.public_key().public_numbers()
            x, y = (n.to_bytes(32, "big") for n in (point.x, point.y))
            public = {"kty": "EC", "crv": "P-256", "alg": "ES256", "x": url64(x), "y": url64(y)}
        self.jwk = {"kid": kid, "use": "sig", "key_ops": ["verify"], "adcp_use": purpose, **public, **members}

    def sign(self, base: str) -> bytes:
        if self.alg == "ed25519":
            return self.private.sign(base.encode())
        r, s = utils.decode_dss_signature(self.private.sign(base.encode(), ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class Family:
    """The vectors of one profile."""

    def __init__(self, name: str, other: str) -> None:
        self.name = name
        self.tag = f"adcp/{name}-signing/v1"
        self.other_tag = f"adcp/{other}-signing/v1"
        use, other_use = f"{name}-signing", f"{other}-signing"
        self.keys = {
            key.kid: key
            for key in [
                Key("ed", use),
                Key("ec", use, "P-256"),
                Key("ed-next", use),
                Key("other-use", other_use),
                Key("use-enc", use, use="enc"),
                Key("ops-sign", use, key_ops=["sign"]),
                Key("no-ops", use, key_ops=[]),
                Key("use-list", use, adcp_use=[use]),
                Key("no-x", use, x=None),
                Key("crv-lie", use, crv="P-256"),
                Key("alg-lie", use, alg="ES256"),
                Key("short-x", use, x="AAAA"),
                Key("ec-off-curve", use, "P-256", y=url64(bytes(32))),
                Key("revoked", use),
                Key("unpublished", use),
            ]
        }
        self.vectors: list[dict[str, Any]] = []

    def request(
        self,
        *,
        key: str = "ed",
        method: str = "POST",
        url: str = URL,
        target: str | None = None,
        authority: str = "peer.example",
        body: str = BODY,
        headers: list[list[str]] | None = None,
        components: list[str] | None = None,
        values: dict[str, str] | None = None,
        digest: str | None = None,
        text: Any = url64,
        nonce: str | None = None,
        params: dict[str, Any] | None = None,
        signature: bytes | str | None = None,
        input_text: str | None = None,
        input_value: str | None = None,
        more_input: str = "",
        more_signature: str = "",
        drop: tuple[str, ...] = (),
    ) -> dict[str, Any]:
        """A signed request; each argument bends one thing."""
        if components is None:
            components = ["@method", "@target-uri", "@authority", "content-type", "content-digest"]
        if digest is None:
            digest = f"sha-256=:{text(hashlib.sha256(body.encode()).digest())}:"
        if nonce is None:
            nonce = url64(hashlib.sha256(f"{self.name} {len(self.vectors)}".encode()).digest()[:16])
        given = {
            "created": NOW,
            "expires": NOW + 300,
            "nonce": nonce,
            "keyid": key,
            "alg": self.keys[key].alg,
            "tag": self.tag,
            **(params or {}),
        }
        written = "".join(
            f";{name}={value}" if isinstance(value, int) else f';{name}="{value}"'
            for name, value in given.items()
            if value is not None
        )
        covered = "(" + " ".join(f'"{name}"' for name in components) + ")" + written
        if input_text is not None:
            covered = input_text.replace("…", covered)
        known = {
            "@method": method,
            "@target-uri": target or url,
            "@authority": authority,
            "content-type": "application/json",
            "content-digest": digest,
            **(values or {}),
        }
        base = "".join(f'"{name}": {known.get(name, "")}\n' for name in components)
        base += f'"@signature-params": {covered}'
        if signature is None:
            signature = self.keys[key].sign(base)
        if isinstance(signature, bytes):
            signature = f":{text(signature)}:"
        fields = [
            ["Content-Type", "application/json"],
            ["Content-Digest", digest],
            ["Signature-Input", input_value or f"sig1={covered}{more_input}"],
            ["Signature", f"sig1={signature}{more_signature}"],
        ]
        fields = [field for field in fields if field[0] not in drop]
        return {"method": method, "url": url, "headers": fields + (headers or []), "body": body}

    def accept(self, name: str, *, digest_policy: str = "either", state: Any = None, **bent: Any) -> None:
        request = self.request(**bent)
        self.add(name, request, {"keyid": bent.get("key", "ed")}, digest_policy, state)

    def refuse(self, step: str, code: str, name: str, *, digest_policy: str = "either", state: Any = None, **bent: Any) -> None:
        request = self.request(**bent)
        self.add(name, request, {"code": f"{self.name}_{code}", "step": step}, digest_policy, state)

    def add(self, name: str, request: Any, want: Any, digest_policy: str, state: Any) -> None:
        vector = {"name": name, "request": request, "want": want, "digest_policy": digest_policy, "state": state or {}}
        self.vectors.append(vector)

    def write(self) -> None:
        published = [key.jwk for key in self.keys.values() if key.kid != "unpublished"]
        document = {"now": NOW, "jwks": {"keys": published}, "vectors": self.vectors}
        path = HERE / f"{self.name}.json"
        path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def positives(family: Family) -> None:
    accept = family.accept
    accept("Ed25519")
    accept("ES256", key="ec")
    accept("the next key, during a rotation", key="ed-next")
    accept("standard base64 in both fields", text=std64)
    accept("standard base64 without padding", text=lambda data: std64(data).rstrip("="))
    accept("a digest in standard base64 beside a signature in base64url", digest=f"sha-256=:{std64(hashlib.sha256(BODY.encode()).digest())}:")
    accept("a digest beside one of another algorithm", digest=f"sha-512=:AAAA:, sha-256=:{url64(hashlib.sha256(BODY.encode()).digest())}:")
    accept("components in another order", components=["content-digest", "@authority", "content-type", "@target-uri", "@method"])
    accept("one more field", components=["@method", "@target-uri", "@authority", "content-type", "content-digest", "x-trace"], headers=[["X-Trace", " a "], ["x-trace", "b"]], values={"x-trace": "a, b"})
    accept("a parameter that nobody knows", params={"version": 2})
    accept("another label in front", input_value=None, more_input=', relay=("@method");created=1;keyid="x"', more_signature=", relay=:AAAA:")
    accept("another label without a signature", more_input=', relay=("@path");created=1')
    accept("created 60 s ahead", params={"created": NOW + 60, "expires": NOW + 61})
    accept("expired 60 s ago", params={"created": NOW - 360, "expires": NOW - 60})
    accept("a nonce of 32 bytes", nonce=url64(bytes(range(32))))
    dated = ["@method", "@target-uri", "@authority", "content-type", "content-digest", "date", "authorization"]
    date, login = "Fri, 15 Jan 2027 08:00:00 GMT", 'Digest username="a", realm="b"'
    accept("fields in which a comma separates nothing", components=dated, headers=[["Date", date], ["Authorization", login]], values={"date": date, "authorization": login})
    accept("a nonce of 256 characters", nonce="A" * 256)
    accept("a host field that says the same", headers=[["Host", "Peer.example:443"]])
    accept("a default port", url="https://Peer.Example:443/adcp/hook", target=URL)
    accept("another port", url="https://peer.example:8443/", authority="peer.example:8443")
    accept("no path", url="https://peer.example", target="https://peer.example/")
    accept("dot segments", url="https://peer.example/a/../adcp/./hook", target=URL)
    accept("slashes in a row", url="https://peer.example/a//b/", target="https://peer.example/a//b/")
    accept("escapes", url="https://peer.example/%7ea%2fb%c3%a9", target="https://peer.example/~a%2Fb%C3%A9")
    accept("a query as it is", url="https://peer.example/p?b=%2f&a=+&%7e", target="https://peer.example/p?b=%2f&a=+&%7e")
    accept("an empty query", url="https://peer.example/p?", target="https://peer.example/p?")
    accept("a fragment and a user", url="https://u:p@peer.example/adcp/hook#x", target=URL)
    accept("an IPv6 address", url="https://[2001:DB8::7]:443/x", target="https://[2001:db8::7]/x", authority="[2001:db8::7]")
    accept("a body with equal keys in different objects", body='[{"a":{"b":1}},{"a":{"b":1},"b":[{"a":1},{"a":2}]}]')


def negatives(family: Family) -> None:
    refuse = family.refuse
    bad = ("1", "signature_header_malformed")
    refuse(*bad, "no Signature-Input", drop=("Signature-Input",))
    refuse(*bad, "no Signature", drop=("Signature",))
    refuse(*bad, "no structured field", input_value="sig1=whatever")
    refuse(*bad, "an empty field", input_value=" ")
    refuse(*bad, "no label sig1", input_value='sig2=("@method");created=1')
    refuse(*bad, "a label twice in Signature-Input", more_input=', sig1=("@method");created=1')
    refuse(*bad, "a label twice in Signature", more_signature=", sig1=:AAAA:")
    refuse(*bad, "a second field that repeats the label", headers=[["Signature-Input", 'sig1=("@method")']])
    refuse(*bad, "a parameter twice", input_text="…;created=1800000000")
    refuse(*bad, "an unquoted keyid", params={"keyid": None}, input_text="…;keyid=ed")
    refuse(*bad, "a quoted created", params={"created": str(NOW)})
    refuse(*bad, "a component twice", components=["@method", "@method", "@target-uri", "@authority", "content-type", "content-digest"])
    refuse(*bad, "a comma at the end", more_input=",")
    refuse(*bad, "signature bytes of mixed alphabets", signature=":+_" + "A" * 84 + ":")
    refuse(*bad, "base64url with padding", signature=":-_" + "A" * 84 + "==:")
    refuse(*bad, "signature bytes that do not end", signature=":AAAA")
    refuse(*bad, "a signature that is a string", signature='"AAAA"')
    refuse(*bad, "a nonce that is not base64url", nonce="AAAAAAAAAAAAAAAAAAAA+/")
    refuse(*bad, "a nonce of 257 characters", nonce="A" * 257)
    refuse(*bad, "a keyid of 257 characters", params={"keyid": "k" * 257})
    refuse(*bad, "a digest twice", digest="sha-256=:AAAA:, sha-256=:AAAA:")
    refuse(*bad, "a digest of mixed alphabets", digest="sha-256=:+_AA:")
    refuse(*bad, "a digest in capitals", digest="SHA-256=:AAAA:")
    refuse(*bad, "two content types in one field", headers=[["Content-Type", "application/json, text/plain"]], drop=("Content-Type",))
    refuse(*bad, "two content types in two fields", headers=[["Content-Type", "application/json"]])
    covered = ["@method", "@target-uri", "@authority", "content-type", "content-digest"]
    for name, value in [("content-length", "1, 1"), ("host", "peer.example, peer.example")]:
        refuse(*bad, f"a covered {name} with two values", components=[*covered, name], headers=[[name, value]], values={name: value})
    for name, value in [("authorization", "Bearer a"), ("date", "Fri, 15 Jan 2027 08:00:00 GMT")]:
        twice = f"{value}, {value}"
        refuse(*bad, f"a covered {name} twice", components=[*covered, name], headers=[[name, value], [name, value]], values={name: twice})
    refuse(*bad, "a host beyond ASCII", url="https://péer.example/adcp/hook")
    refuse(*bad, "a member with parameters in Signature", more_signature=";a=1")
    for name in ["created", "expires", "nonce", "keyid", "alg", "tag"]:
        refuse("2", "signature_params_incomplete", f"no {name}", params={name: None})
    refuse("2", "signature_params_incomplete", "a nonce of 15 bytes", nonce=url64(bytes(15)))
    for tag in [family.other_tag, family.tag.upper(), family.tag + " ", ""]:
        refuse("3", "signature_tag_invalid", f"the tag `{tag}`", params={"tag": tag})
    for alg in ["rsa-pss-sha512", "hmac-sha256", "Ed25519", "EdDSA", ""]:
        refuse("4", "signature_alg_not_allowed", f"the algorithm `{alg}`", params={"alg": alg})
    for name, created, expires in [
        ("expired 61 s ago", NOW - 361, NOW - 61),
        ("created 61 s ahead", NOW + 61, NOW + 100),
        ("valid for 301 s", NOW, NOW + 301),
        ("expires as created", NOW, NOW),
        ("expires before created", NOW, NOW - 1),
    ]:
        refuse("5", "signature_window_invalid", name, params={"created": created, "expires": expires})
    everything = ["@method", "@target-uri", "@authority", "content-type", "content-digest"]
    for name in everything[:4]:
        refuse("6", "signature_components_incomplete", f"{name} is not covered", components=[it for it in everything if it != name])
    refuse("6", "signature_components_incomplete", "the digest is not covered", components=everything[:4], digest_policy="required")
    refuse("6", "signature_components_incomplete", "nothing is covered", components=[])
    refuse("6", "signature_components_incomplete", "a covered field is absent", components=[*everything, "x-trace"])
    refuse("6", "signature_components_incomplete", "a covered digest is absent", drop=("Content-Digest",))
    unexpected = "signature_components_incomplete" if family.name == "webhook" else "signature_components_unexpected"
    refuse("6", unexpected, "a component that the profile does not know", components=[*everything, "@path"], values={"@path": "/adcp/hook"})
    refuse("7", "signature_key_unknown", "a key that nobody publishes", key="unpublished")
    refuse("7", "signature_key_unknown", "the name of a key in capitals", params={"keyid": "ED"})
    refuse("7", "signature_key_unknown", "a name of 256 characters", params={"keyid": "k" * 256})
    purpose = ("8", "signature_key_purpose_invalid")
    for key in ["other-use", "use-enc", "ops-sign", "no-ops", "use-list", "crv-lie", "alg-lie", "short-x", "no-x"]:
        refuse(*purpose, f"the key `{key}`", key=key)
    refuse(*purpose, "an algorithm that is not the key's", params={"alg": "ecdsa-p256-sha256"})
    refuse("9", "signature_key_revoked", "a revoked key", key="revoked", state={"revoked": ["revoked"]})
    refuse("9", "signature_revocation_stale", "an old revocation list", state={"stale": True})
    refuse("9a", "signature_rate_abuse", "a full replay store", state={"full": "ed"})
    refuse("10", "target_uri_malformed", "an address without a host", url="https:///adcp/hook")
    refuse("10", "target_uri_malformed", "an IPv6 address without brackets", url="https://2001:db8::7/")
    refuse("10", "target_uri_malformed", "an IPv6 address with a zone", url="https://[fe80::1%25eth0]/")
    refuse("10", "target_uri_malformed", "a host field that says something else", headers=[["Host", "other.example"]])
    refuse("10", "target_uri_malformed", "a host field without brackets", url="https://[2001:db8::7]/", headers=[["Host", "2001:db8::7"]])
    invalid = ("10", "signature_invalid")
    refuse(*invalid, "a signature of zeros", signature=bytes(64))
    refuse(*invalid, "an ES256 signature of zeros", key="ec", signature=bytes(64))
    refuse(*invalid, "a short signature", signature=bytes(63))
    refuse(*invalid, "a DER signature", key="ec", signature=bytes.fromhex("3006020101020101") + bytes(56))
    refuse(*invalid, "a point off the curve", key="ec-off-curve")
    refuse(*invalid, "another method", values={"@method": "PUT"})
    refuse(*invalid, "another address", target="https://peer.example/adcp/hook/")
    refuse(*invalid, "another content type", values={"content-type": "text/plain"})
    refuse(*invalid, "a query in another order", url="https://peer.example/p?b=1&a=2", target="https://peer.example/p?a=2&b=1")
    refuse("11", "signature_digest_mismatch", "the digest of another body", digest=f"sha-256=:{url64(hashlib.sha256(b'{}').digest())}:")
    refuse("11", "signature_digest_mismatch", "a digest cut short", digest="sha-256=:AAAA:")
    refuse("11", "signature_digest_mismatch", "a digest of another algorithm only", digest="sha-512=:AAAA:")
    seen = url64(bytes(range(16)))
    refuse("12", "signature_replayed", "a nonce seen before", nonce=seen, state={"seen": [["ed", seen]]})
    for name, body in [("a key twice", '{"a":1,"a":1}'), ("a key twice deep within", '[{"a":[{"b":1,"\\u0062":2}]}]'), ("no JSON", "{")]:
        refuse("14", "body_malformed", name, body=body)


def cascade(family: Family) -> None:
    """Messages in which everything is wrong from one step on: the first failure must win."""
    nonce = url64(bytes(16))
    steps: list[tuple[str, str, dict[str, Any]]] = [
        ("1", "signature_header_malformed", {"more_input": ","}),
        ("2", "signature_params_incomplete", {"nonce": "AAAA"}),
        ("3", "signature_tag_invalid", {"params": {"tag": "x"}}),
        ("4", "signature_alg_not_allowed", {"params": {"alg": "x"}}),
        ("5", "signature_window_invalid", {"params": {"expires": NOW}}),
        ("6", "signature_components_incomplete", {"components": ["@method", "@target-uri", "content-type", "content-digest"]}),
        ("7", "signature_key_unknown", {"key": "unpublished"}),
        ("8", "signature_key_purpose_invalid", {"key": "other-use"}),
        ("9", "signature_key_revoked", {"state": {"revoked": ["ed"]}}),
        ("9a", "signature_rate_abuse", {"state": {"full": "ed"}}),
        ("10", "target_uri_malformed", {"headers": [["Host", "other.example"]]}),
        ("10", "signature_invalid", {"signature": bytes(64)}),
        ("11", "signature_digest_mismatch", {"digest": "sha-256=:AAAA:"}),
        ("12", "signature_replayed", {"nonce": nonce, "state": {"seen": [["ed", nonce]]}}),
        ("14", "body_malformed", {"body": "{"}),
    ]
    for at, (step, code, _) in enumerate(steps):
        bent: dict[str, Any] = {}
        # What is wrong at an earlier step wins where two steps bend the same thing.
        for _, _, more in reversed(steps[at:]):
            for name, value in more.items():
                if name in ("params", "state"):
                    value = {**bent.get(name, {}), **value}
                bent[name] = value
        family.refuse(step, code, f"everything wrong from step {step} on ({code})", **bent)


def main() -> None:
    for name, other in [("webhook", "request"), ("request", "webhook")]:
        family = Family(name, other)
        positives(family)
        if name == "request":
            plain = ["@method", "@target-uri", "@authority", "content-type"]
            family.accept("no digest covered", components=plain, drop=("Content-Digest",))
            family.accept("a digest that is not covered is not looked at", components=plain, digest="sha-256=:AAAA:")
            family.accept("a digest where it is required", digest_policy="required")
            family.accept("no digest where it is forbidden", components=plain, digest_policy="forbidden")
            family.accept("no body", method="GET", body="", components=plain[:3], drop=("Content-Type", "Content-Digest"))
            family.refuse("6", "signature_components_unexpected", "a digest where it is forbidden", digest_policy="forbidden")
            family.refuse("0", "signature_required", "no signature", drop=("Signature", "Signature-Input"))
        else:
            family.refuse("1", "signature_header_malformed", "no signature", drop=("Signature", "Signature-Input"))
            family.refuse("6", "signature_components_incomplete", "the digest is not covered, whatever the policy", components=["@method", "@target-uri", "@authority", "content-type"])
        negatives(family)
        cascade(family)
        family.write()


if __name__ == "__main__":
    main()
