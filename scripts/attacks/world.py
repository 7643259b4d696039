"""Real values for every parameter of the OpenAPI document: an operation that is refused before a query tests nothing.

`World(target)` makes what the values name (follow requests, blocks, messages, mailed links) on a server whose content
is that of `common.content`.
"""

import base64
import email
import email.policy
import itertools
import json
import re
import socket
import time
import urllib.parse

from common import CHANGERS, PASSWORD
from floods import frame, handshake

# Who calls, where it is not ada; those that change or end an account have one of their own.
CALLERS = {
    ("post", "/api/books"): "staff",
    ("patch", "/api/books/{id}"): "staff",
    ("delete", "/api/books/{id}"): "staff",
    ("post", "/api/profiles/{username}/follow"): "staff",
    ("delete", "/api/profiles/{username}/follow"): "staff",
    ("post", "/api/profiles/{username}/block"): "erin",
    ("delete", "/api/profiles/{username}/block"): "erin",
    ("post", "/api/auth/email-change"): "frank",
    ("post", "/api/auth/email-change/confirm"): "frank",
    ("delete", "/api/auth/me"): "carol",
    ("post", "/api/rooms/{id}/join"): "bob",
    ("post", "/api/rooms/{id}/leave"): "bob",
}
# Whoever calls these has another password afterwards, and cannot log in with the old one.
CHANGE_PASSWORD = {("post", "/api/auth/change-password"), ("patch", "/api/auth/change-password")}
# What goes together in one call, where an operation takes one or the other.
WAYS = {
    ("post", "/api/auth/verify-email"): (("email", "code"), ("token",)),
    ("get", "/ws/chat/{room_id}"): (("room_id", "token", "after"), ("room_id", "ticket")),
    ("post", "/api/books"): (("title", "author", "description", "year"), ("title", "author", "isbn")),
}
# By name, where an operation has no value of its own.
NAMED = {
    "id": 1, "room_id": "1", "username": "bob", "page_size": 1, "search": "book", "ordering": "created_at", "include": "book_title",
    "title": "A title", "author": "An author", "description": "A description", "year": 1999, "isbn": "9780306406157",
    "book": 1, "user": "ada", "review_text": "A text", "rating": 4, "is_public": True, "member": "true", "name": "A room",
    "first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.com", "password": PASSWORD, "seq": 1, "after": 0,
    "current_password": PASSWORD, "new_password": PASSWORD, "bio": "A life", "profile_visibility": "followers_only",
    "notification_preferences": {"new_follower": True}, "query": "a quiet book", "invite": "none",
}
LINK = r"token=([\w.%-]+)"


class World:
    def __init__(self, target):
        self.target, self.tokens, self.letters, self.read, self.numbers = target, {}, {}, set(), itertools.count(1)
        self.changers = (f"changer{number}" for number in range(CHANGERS))
        self.community()
        self.requests = [row["id"] for row in self.call("ada", "GET", "/api/follow-requests/")["results"]]
        self.unsubscribe = {"token": self.mailed("ada@example.com", r"unsubscribe/?\?" + LINK)}

    def call(self, username, method, path, body=None):
        """An answer that has to be a good one."""
        if username and username not in self.tokens:
            self.tokens[username] = self.target.token(username)
        status, answer = self.target.call(method, path, body, self.tokens.get(username))
        if status >= 400:
            raise RuntimeError(f"{method} {path} as {username}: {status} {answer}")
        return answer

    def caller(self, named):
        """Who calls an operation."""
        return next(self.changers) if named in CHANGE_PASSWORD else CALLERS.get(named, "ada")

    def community(self):
        self.call("ada", "PATCH", "/api/profile/", {"profile_visibility": "followers_only"})
        for name in ("bob", "staff", "erin", "frank"):
            self.call(name, "POST", "/api/profiles/ada/follow/")
        for name in ("carol", "dave"):
            self.call("ada", "POST", f"/api/profiles/{name}/block/")
        self.talk()

    def talk(self):
        """Messages come by WebSocket alone."""
        with socket.create_connection(("127.0.0.1", self.target.port), timeout=10) as peer:
            peer.sendall(handshake(self.tokens["ada"]))
            if b" 101 " not in peer.recv(4096):
                raise RuntimeError("no WebSocket")
            peer.sendall(frame(1, b'{"message":"hello"}') * 3)
            end = time.monotonic() + 20
            while self.call("ada", "GET", "/api/rooms/1/messages/")["count"] < 3:
                if time.monotonic() > end:
                    raise RuntimeError("no message arrived")
                time.sleep(0.05)

    def mailed(self, address, pattern):
        """What a mail to an address says, by a pattern; each mail once."""
        # Others may wait before it: sqlmap has thousands sent.
        end = time.monotonic() + 60
        while time.monotonic() < end:
            for path in set(self.target.folder.glob("data/mail/*.eml")) - self.letters.keys():
                letter = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
                text = str(letter.get("List-Unsubscribe", "")) + letter.get_body(("plain",)).get_content()
                self.letters[path] = str(letter["To"]), text
            for path, (to, text) in list(self.letters.items()):
                if path not in self.read and address in to and (found := re.search(pattern, text)):
                    self.read.add(path)
                    return urllib.parse.unquote(found[1])
            time.sleep(0.1)
        raise RuntimeError(f"no mail to {address} with {pattern}")

    def stranger(self):
        name = f"newcomer{next(self.numbers)}"
        return {"username": name, "email": f"{name}@example.com", "password": PASSWORD}

    def newcomer(self):
        """The address of an account that waits to be verified."""
        account = self.stranger()
        self.call(None, "POST", "/api/auth/register/", account)
        return account["email"]

    def refresh(self, username):
        return self.call(None, "POST", "/api/auth/login/", {"username": username, "password": PASSWORD})["refresh"]

    def cursor(self, path):
        """The query of a list's second page."""
        following = self.call("ada", "GET", f"{path}?page_size=1")["next"]
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(following).query))

    def verification(self):
        coded, linked = self.newcomer(), self.newcomer()
        return {"email": coded, "code": self.mailed(coded, r"\b(\d{8})\b"), "token": self.mailed(linked, LINK)}

    def reset(self):
        # Of one that nobody else resets meanwhile: the first link used ends the others.
        address = f"{next(self.changers)}@example.com"
        self.call(None, "POST", "/api/auth/password-reset/", {"email": address})
        return {"token": self.mailed(address, LINK)}

    def change_of_address(self):
        address = f"frank{next(self.numbers)}@example.com"
        self.call("frank", "POST", "/api/auth/email-change/", {"email": address, "password": PASSWORD})
        return {"token": self.mailed(address, LINK)}

    def session(self):
        """One that nothing else needs."""
        payload = self.target.token("ada").split(".")[1]
        return {"id": int(json.loads(base64.urlsafe_b64decode(payload + "=="))["sid"])}

    def values(self, named):
        """Values that an operation has for itself; those that work once are new."""
        makers = {
            ("post", "/api/auth/register"): self.stranger,
            ("post", "/api/auth/login"): lambda: {"username": "ada"},
            ("post", "/api/auth/refresh"): lambda: {"refresh": self.refresh("bob")},
            ("post", "/api/auth/verify"): lambda: {"token": self.tokens["bob"]},
            ("post", "/api/auth/logout"): lambda: dict.fromkeys(("refresh", "refresh_token"), self.refresh("ada")),
            ("post", "/api/auth/verify-email"): self.verification,
            ("post", "/api/auth/resend-verification"): lambda: {"email": self.newcomer()},
            ("post", "/api/auth/password-reset/confirm"): self.reset,
            ("post", "/api/auth/email-change"): lambda: {"email": f"frank{next(self.numbers)}@example.com"},
            ("post", "/api/auth/email-change/confirm"): self.change_of_address,
            ("delete", "/api/auth/sessions/{id}"): self.session,
            ("post", "/api/follow-requests/{id}/approve"): lambda: {"id": self.requests[0]},
            ("post", "/api/follow-requests/{id}/reject"): lambda: {"id": self.requests[1]},
            ("post", "/api/profiles/{username}/block"): lambda: {"username": "gina"},
            ("delete", "/api/profiles/{username}/block"): lambda: {"username": "gina"},
            ("get", "/api/notifications/unsubscribe"): lambda: self.unsubscribe,
            ("post", "/api/notifications/unsubscribe"): lambda: self.unsubscribe,
            ("get", "/api/books"): lambda: {"ordering": "title"},
            ("post", "/api/books"): lambda: {"isbn": "9780131103627"},
            ("get", "/api/rooms/{id}/messages"): lambda: {"ordering": "seq"},
            ("get", "/api/rooms"): lambda: {"search": "room", "ordering": "name", "include": "last_message"},
            ("get", "/api/reviews/{id}"): lambda: {"id": 2},
            ("post", "/api/reviews"): lambda: {"book": 30},
            ("delete", "/api/books/{id}"): lambda: {"id": 29},
            ("delete", "/api/reviews/{id}"): lambda: {"id": 3},
            ("delete", "/api/rooms/{id}"): lambda: {"id": 2},
            ("post", "/api/rooms/{id}/join"): lambda: {"id": 3},
            ("post", "/api/rooms/{id}/leave"): lambda: {"id": 3},
            ("post", "/api/rooms/{id}/members"): lambda: {"username": "erin"},
            ("get", "/ws/chat/{room_id}"): lambda: {"token": self.tokens["ada"], "ticket": self.call("ada", "POST", "/api/auth/ws-ticket/")["ticket"]},
        }
        return NAMED | makers.get(named, dict)()
