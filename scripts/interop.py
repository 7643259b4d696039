"""A real Django, simplejwt and PyJWT against a running server: tokens and hashes both ways.

Usage: interop.py PORTCULLIS_BINARY. Ends with 0 when every check held.
"""

import json
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import django
from django.conf import settings

FIRST_ID = 4711
KEY = "django-insecure-interop-key-of-more-than-thirty-two-bytes"
HASHERS = [
    "Argon2PasswordHasher",
    "PBKDF2PasswordHasher",
    "PBKDF2SHA1PasswordHasher",
    "BCryptSHA256PasswordHasher",
    "BCryptPasswordHasher",
    "ScryptPasswordHasher",
]

settings.configure(
    SECRET_KEY=KEY,
    PASSWORD_HASHERS=[f"django.contrib.auth.hashers.{name}" for name in HASHERS],
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework_simplejwt"],
    SIMPLE_JWT={"SIGNING_KEY": KEY, "ALGORITHM": "HS256"},
    USE_TZ=True,
)
django.setup()

import jwt  # noqa: E402
from django.contrib.auth.hashers import check_password, get_hashers, make_password  # noqa: E402
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken  # noqa: E402


def call(base, method, path, body=None, bearer=None):
    headers = {"Content-Type": "application/json"}
    if bearer:
        headers["Authorization"] = f"Bearer {bearer}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(base + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def check(what, held):
    print(("ok    " if held else "FAIL  ") + what)
    if not held:
        sys.exit(1)


def tokens_both_ways(base):
    status, login = call(base, "POST", "/api/auth/login/", {"username": "user0", "password": "Sturdy-Harbour-42"})
    check("login", status == 200)
    claims = jwt.decode(login["access"], KEY, algorithms=["HS256"])
    check("PyJWT reads our access token", claims["token_type"] == "access" and claims["username"] == "user0")
    check("the user keeps the id from there", claims["user_id"] == str(FIRST_ID))
    me = call(base, "GET", "/api/auth/me/", bearer=login["access"])[1]
    check("and the time of joining", me["date_joined"] == "2019-05-01T10:30:00.000000Z")
    check("simplejwt accepts our access token", str(AccessToken(login["access"])["user_id"]) == claims["user_id"])
    check("simplejwt accepts our refresh token", RefreshToken(login["refresh"])["token_type"] == "refresh")
    for user_id in (claims["user_id"], int(claims["user_id"])):
        theirs = RefreshToken()
        theirs["user_id"] = user_id
        status, me = call(base, "GET", "/api/auth/me/", bearer=str(theirs.access_token))
        check(f"we accept simplejwt's access token ({type(user_id).__name__})", status == 200 and me["username"] == "user0")
        status, pair = call(base, "POST", "/api/auth/refresh/", {"refresh": str(theirs)})
        check("we exchange simplejwt's refresh token", status == 200)
        status, again = call(base, "POST", "/api/auth/refresh/", {"refresh": str(theirs)})
        check("and within the grace for the same successor", status == 200 and again["refresh"] == pair["refresh"])


def hashes_both_ways(base, folder):
    for index, hasher in enumerate(HASHERS):
        body = {"username": f"user{index}", "password": "Sturdy-Harbour-42"}
        check(f"we verify Django's {hasher}", call(base, "POST", "/api/auth/login/", body)[0] == 200)
        body["password"] = "wrong"
        check(f"and refuse a wrong password for {hasher}", call(base, "POST", "/api/auth/login/", body)[0] == 401)
    with sqlite3.connect(f"file:{folder}/portcullis.sqlite3?mode=ro", uri=True) as db:
        rows = db.execute("SELECT username, password FROM users ORDER BY id").fetchall()
    for username, encoded in rows:
        check(f"Django verifies what we store for {username}", check_password("Sturdy-Harbour-42", encoded))
    check("obsolete hashes were replaced by Argon2id", all(row[1].startswith("argon2$argon2id$") for row in rows))


def main():
    binary, port = sys.argv[1], free_port()
    base = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        users = []
        for index, hasher in enumerate(get_hashers()):
            encoded = make_password("Sturdy-Harbour-42", hasher=hasher.algorithm)
            users.append({
                "id": FIRST_ID + index, "username": f"user{index}", "email": f"user{index}@example.com",
                "password_hash": encoded, "date_joined": "2019-05-01T12:30:00+02:00",
            })
        with open(f"{folder}/users.json", "w") as file:
            json.dump({"users": users}, file)
        environment = os.environ | {
            "PORTCULLIS_STORAGE__DATA_DIR": f"{folder}/data",
            "PORTCULLIS_SERVER__LISTEN": f"127.0.0.1:{port}",
            "PORTCULLIS_TOKENS__SIGNING_KEY": KEY,
            "PORTCULLIS_THROTTLE__ENABLED": "false",
        }
        subprocess.run([binary, "load", f"{folder}/users.json"], env=environment, cwd=folder, check=True)
        server = subprocess.Popen([binary, "serve"], env=environment, cwd=folder, stderr=subprocess.DEVNULL)
        try:
            for _ in range(100):
                try:
                    urllib.request.urlopen(f"{base}/readyz", timeout=1)
                    break
                except OSError:
                    time.sleep(0.05)
            tokens_both_ways(base)
            hashes_both_ways(base, f"{folder}/data")
        finally:
            server.terminate()
            server.wait(20)


main()
