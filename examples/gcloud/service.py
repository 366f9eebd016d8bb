"""A connection to the service, and its files: what the programs beside this one share."""

import csv
import http.client
import json
import os
import sys
import time
from typing import Any, Mapping, Optional
from urllib.parse import urlsplit

# What separates the parts of an upload; it occurs in none of the files.
BOUNDARY = "copartner-g-cloud-6f1d0c"
# A connection that was not used for so long is opened anew, because the service may be about to close it.
IDLE_SECONDS = 2


class Service:
    """A connection to the service with a key."""

    def __init__(self, url: str, key: str) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        self.authorization = f"Bearer {key}"
        self.used = time.monotonic()

    def send(self, method: str, path: str, body: Any, headers: "Mapping[str, str]") -> "tuple[int, Mapping[str, str], Any]":
        """The status, the headers and the body of an answer; waits where the service says that it is asked too often."""
        while True:
            if time.monotonic() - self.used > IDLE_SECONDS:
                self.connection.close()
            self.connection.request(method, path, body=body, headers={"Authorization": self.authorization, **headers})
            answer = self.connection.getresponse()
            content = answer.read()
            self.used = time.monotonic()
            if answer.status != 429:
                return answer.status, answer.headers, json.loads(content)
            self.connection.close()
            # Until the service counts anew.
            time.sleep(int(answer.headers["Retry-After"]))

    def ask(self, method: str, path: str, body: Any = None) -> "tuple[int, Any]":
        """The status and the body of an answer."""
        text = None if body is None else json.dumps(body)
        status, _, answer = self.send(method, path, text, {"Content-Type": "application/json"})
        return status, answer

    def do(self, method: str, path: str, body: Any = None, key: Optional[str] = None, seen: Optional[str] = None) -> Any:
        """The body of an answer that is no problem; under an Idempotency-Key, and of a record with this version."""
        headers = {"Content-Type": "application/json"}
        headers.update({"Idempotency-Key": key} if key else {})
        headers.update({"If-Match": seen} if seen else {})
        status, _, answer = self.send(method, path, None if body is None else json.dumps(body), headers)
        return accepted(f"{method} {path}", status, answer)

    def version(self, path: str) -> str:
        """The version of a record, for `seen`."""
        status, headers, answer = self.send("GET", path, None, {})
        accepted(f"GET {path}", status, answer)
        return headers["ETag"]

    def all(self, path: str) -> "list[Any]":
        """Every record of a list."""
        page = self.do("GET", f"{path}&limit=100")
        records = page["data"]
        while page["has_more"]:
            page = self.do("GET", f"{path}&limit=100&cursor={page['next_cursor']}")
            records += page["data"]
        return records

    def load(self, resource: str, mapping: Any, file: str) -> Any:
        """Imports a CSV file, which must be taken whole; the import when it is done."""
        parts = [("resource", resource), ("mapping", json.dumps(mapping)), (f'file"; filename="{resource}.csv', file)]
        texts = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in parts]
        content = "".join(texts) + f"--{BOUNDARY}--\r\n"
        headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        status, _, done = self.send("POST", "/v1/imports", content.encode(), headers)
        accepted("POST /v1/imports", status, done)
        while done["status"] in ("queued", "running"):
            time.sleep(0.1)
            done = self.do("GET", f"/v1/imports/{done['id']}")
        if done["status"] != "succeeded" or done["counts"]["rejected"]:
            sys.exit(f"import of {resource}: {json.dumps(done, indent=2)}")
        return done


def accepted(what: str, status: int, answer: Any) -> Any:
    """The answer, unless it is a problem."""
    if status >= 400:
        sys.exit(f"{what}: {status} {json.dumps(answer, indent=2)}")
    return answer


def read(folder: str, name: str) -> "list[dict[str, str]]":
    """The rows of a CSV file."""
    with open(os.path.join(folder, name), newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
