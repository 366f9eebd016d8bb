#!/usr/bin/env python3
"""Checks a statement by what is published alone: python3 verify.py SERVICE STATEMENT_ID, with the key in COPARTNER_KEY.

Needs nothing but Python: Ed25519 is written out as in RFC 8032, section 5.1. With a library it is one call, and so it is
with openssl: `openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in signed -sigfile signature`.
"""

import base64
import hashlib
import json
import os
import sys
import urllib.request

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def add(one, other):
    (x1, y1, z1, t1), (x2, y2, z2, t2) = one, other
    a, b = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    c, d = 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(scalar, point):
    product = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            product = add(product, point)
        point, scalar = add(point, point), scalar >> 1
    return product


def point(encoded):
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        raise ValueError("no point of the curve")
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def is_signed(public_key, message, signature):
    if len(public_key) != 32 or len(signature) != 64:
        return False
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    digest = hashlib.sha512(r + public_key + message).digest()
    if s >= ORDER:
        return False
    left = times(s, BASE)
    right = add(point(r), times(int.from_bytes(digest, "little") % ORDER, point(public_key)))
    return not ((left[0] * right[2] - right[0] * left[2]) % P or (left[1] * right[2] - right[1] * left[2]) % P)


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def main(service, statement_id):
    key = {"Authorization": "Bearer " + os.environ["COPARTNER_KEY"]}

    def get(path, headers):
        with urllib.request.urlopen(urllib.request.Request(service + path, headers=headers)) as answer:
            return answer.read()

    statement = json.loads(get(f"/v1/statements/{statement_id}", key))["statement"]
    text = get(f"/v1/statements/{statement_id}/file?format=text", key)
    chained = (statement["previous_hash"] or "").encode() + text
    if hashlib.sha256(chained).hexdigest() != statement["hash"]:
        sys.exit("the hash is not that of the text")

    header, signature = statement["signature"].split("..")
    named = json.loads(decoded(header))
    if named["alg"] != "EdDSA" or "crit" in named:
        sys.exit("the signature is of another kind")
    organization = json.loads(get("/v1/me", key))["organization_id"]
    published = json.loads(get(f"/v1/issuers/{organization}/jwks.json", {}))["keys"]
    [public] = [one for one in published if one["kid"] == named["kid"]]
    payload = base64.urlsafe_b64encode(text).rstrip(b"=")
    if not is_signed(decoded(public["x"]), header.encode() + b"." + payload, decoded(signature)):
        sys.exit("the signature is not that of the text")
    print(f"{statement_id}: hash and signature are those of its text; it closes with {json.loads(text)['closing']}")


if __name__ == "__main__":
    main(*sys.argv[1:])
