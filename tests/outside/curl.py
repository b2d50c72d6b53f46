"""Stands in for curl where it is missing, with the options that the emulator's page uses. Built on requests."""

import argparse
import codecs
import sys
from pathlib import Path

import requests

FAILED = 22


def main() -> int:
    parser = argparse.ArgumentParser(prog="curl", allow_abbrev=False)
    parser.add_argument("url")
    parser.add_argument("-s", "--silent", action="store_true")
    parser.add_argument("-S", "--show-error", action="store_true")
    parser.add_argument("-f", "--fail", action="store_true")
    parser.add_argument("-X", "--request")
    parser.add_argument("-H", "--header", action="append", default=[])
    parser.add_argument("-d", "--data")
    parser.add_argument("-F", "--form", action="append", default=[])
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("-w", "--write-out", default="")
    asked = parser.parse_args()
    headers = {name: value.strip() for name, _, value in (header.partition(":") for header in asked.header)}
    if asked.data is not None:
        headers = {"Content-Type": "application/x-www-form-urlencoded"} | headers
    answer = requests.request(
        asked.request or ("POST" if asked.form or asked.data is not None else "GET"),
        asked.url, headers=headers, data=asked.data and asked.data.encode(), files=list(map(part, asked.form)) or None, timeout=60,
        allow_redirects=False,
    )
    if asked.fail and answer.status_code >= 400:
        print(f"curl: ({FAILED}) {answer.status_code}", file=sys.stderr)
        return FAILED
    if asked.output:
        asked.output.write_bytes(answer.content)
    else:
        sys.stdout.buffer.write(answer.content)
    told = codecs.decode(asked.write_out, "unicode_escape").replace("%{http_code}", str(answer.status_code))
    sys.stdout.buffer.write(told.encode())
    return 0


def part(form: str) -> tuple[str, tuple[str | None, bytes | str, str] | tuple[None, str]]:
    """`name=value`, or `name=@file;type=its/type`."""
    name, _, value = form.partition("=")
    if not value.startswith("@"):
        return name, (None, value)
    path, _, media_type = value[1:].partition(";type=")
    return name, (Path(path).name, Path(path).read_bytes(), media_type)


if __name__ == "__main__":
    sys.exit(main())
