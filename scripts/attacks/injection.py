"""Header, host, mail and log injection: nothing of a request becomes a header, a link or a line of the log."""

import json
import urllib.parse

from common import raw, server

MARK = "FORGED-LINE"
SECRET = "never-in-a-log-4711"
HOSTILE = [
    f"a\r\nX-Injected: 1\r\n\r\n{MARK}",
    f"a\n{MARK} level=ERROR",
    f"a\r{MARK}",
    f"\x1b[2J\x1b[31m{MARK}\x1b]0;{MARK}\x07",
    f'"}}\n{{"level":"ERROR","message":"{MARK}"}}',
    f"a\u2028{MARK}\u0085{MARK}\u202e",
    f"${{jndi:ldap://x/{MARK}}}%s%n{{}}",
    "\\" * 200 + '"' * 200,
    "x" * 6000,
]


def requests(text, token):
    """The same text in every place of a request, as bytes."""
    quoted = urllib.parse.quote(text, safe="")
    # Header values as a client without manners writes them: no line ends, or the server would read two headers.
    value = text.replace("\r", "\\r").replace("\n", "\\n").encode()
    body = json.dumps({"username": text, "email": f"{text}@example.com", "password": text, "token": text}).encode()
    for path in (f"/{quoted}", f"/api/books/{quoted}/", f"/api/books/?search={quoted}&ordering={quoted}&cursor={quoted}",
                 f"/api/profiles/{quoted}/", f"/ws/chat/1/?token={SECRET}{quoted}", f"/api/notifications/unsubscribe/?token={SECRET}{quoted}"):
        yield b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path.encode()
    for name in (b"User-Agent", b"X-Request-Id", b"Origin", b"Referer", b"Cookie", b"X-Forwarded-For", b"Forwarded",
                 b"Accept", b"Accept-Language", b"Sec-WebSocket-Protocol", b"Authorization", b"Idempotency-Key", b"traceparent"):
        yield b"GET /api/auth/me/ HTTP/1.1\r\nHost: x\r\n%s: %s\r\nConnection: close\r\n\r\n" % (name, value)
    yield b"GET /api/books/ HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % value
    for path in (b"/api/auth/login/", b"/api/auth/register/", b"/api/auth/password-reset/", b"/api/auth/verify-email/", b"/api/auth/refresh/"):
        head = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
        yield head % (path, len(body)) + body
    # A name that is shown in mails, and a device that is shown in the list of sessions.
    names = json.dumps({"first_name": text, "last_name": text}).encode()
    head = b"PATCH /api/auth/me/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    yield head % (token.encode(), len(names)) + names


def wrong_answer(answer):
    head = answer.split(b"\r\n\r\n", 1)[0]
    if b"\r\nx-injected" in head.lower() or MARK.encode() in head or b"\x1b" in head:
        return f"a header is the caller's: {head!r}"
    if answer and answer.split(b" ", 2)[1:2] > [b"499"]:
        return f"a server error: {head!r}"
    return None


def wrong_lines(log, form):
    for line in log.splitlines():
        if form == "json" and not line.startswith(b"{"):
            yield f"a line of the log is no JSON: {line[:200]!r}"
        elif form == "json":
            json.loads(line)
        if line.startswith(MARK.encode()) or b"\x1b" in line:
            yield f"a line of the log is the caller's: {line[:200]!r}"
        if SECRET.encode() in line:
            yield f"a secret of a URL is in the log: {line[:200]!r}"


def poisoned_mails(target):
    """Links of mails that name another host, asked for with every header that could name one."""
    for header in ("Host", "X-Forwarded-Host", "Forwarded", "X-Original-Host", "Origin", "X-Forwarded-Server"):
        value = "host=evil.example" if header == "Forwarded" else "evil.example"
        target.call("POST", "/api/auth/password-reset/", {"email": "ada@example.com"}, headers={header: value})
    name = "mail_injection"
    target.call("POST", "/api/auth/register/", {"username": name, "email": "m@example.com\r\nBcc: evil@evil.example", "password": "Sturdy-Harbour-42"})
    target.call("POST", "/api/auth/register/", {"username": name, "email": "m@example.com", "password": "Sturdy-Harbour-42"})
    import time
    end = time.monotonic() + 20
    while not (mails := list(target.folder.glob("data/mail/*.eml"))) and time.monotonic() < end:
        time.sleep(0.1)
    if not mails:
        yield "no mail was sent: nothing was tested"
    for mail in mails:
        if "evil.example" in mail.read_text(errors="replace"):
            yield f"a mail is the caller's: {mail.read_text(errors='replace')[:400]!r}"


def attack(binary, short):
    findings, tried = [], 0
    for form in ("json", "pretty"):
        with server(binary, LOG__FORMAT=form, LOG__LEVEL="debug") as target:
            token = target.token("ada")
            for text in HOSTILE:
                for data in requests(text, token):
                    tried += 1
                    answer = raw(target.port, data, 5)
                    if not answer:
                        findings.append(f"no answer to {data[:120]!r}")
                    elif wrong := wrong_answer(answer):
                        findings.append(f"{wrong} after {data[:120]!r}")
            findings += poisoned_mails(target)
            findings += wrong_lines(target.log(), form)
            if not target.log():
                findings.append("nothing was logged: nothing was tested")
    return f"{tried} requests", findings
