#!/usr/bin/env python3
"""Times every query that a reader makes, at 10,000 and at 1,000,000 reviews.

Usage: growth.py BINARY [SIZE...]; PORTCULLIS_STORAGE__DATABASE_URL chooses another database (its tables have to
be empty, so give one size). Prints a table; fails where the largest database takes more than three times as long
as the smallest and more than 5 ms longer.
"""

import base64
import hashlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

PASSWORD = "Quiet-Meadow-77!"
ROUNDS = 15


def password_hash():
    rounds, salt = 1000, "growthgrowth"
    digest = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), salt.encode(), rounds)
    return f"pbkdf2_sha256${rounds}${salt}${base64.b64encode(digest).decode()}"


def write_file(path, size):
    """Twenty reviews for each user, a hundred for each book, each word in the titles of two hundred."""
    people = max(500, size // 20)
    words = max(1, size // 200)
    books = max(50, size // 100)
    hashed = password_hash()
    with open(path, "w", encoding="utf-8") as file:
        file.write('{"users": [')
        for number in range(people):
            user = {"username": f"reader_{number}", "email": f"r{number}@growth.example", "password_hash": hashed}
            file.write(("," if number else "") + json.dumps(user))
        file.write('], "books": [')
        for number in range(books):
            book = {"title": f"Book number{number} of all", "author": f"Author {number % 997}", "year": 1900 + number % 120}
            file.write(("," if number else "") + json.dumps(book))
        file.write('], "reviews": [')
        for number in range(size):
            user, place = divmod(number, max(1, size // people))
            review = {
                "user": min(user, people - 1),
                "book": (user * 37 + place) % books,
                "title": f"Review word{number % words:05} of {number}",
                "review_text": "<p>Fine.</p>",
                "rating": 1 + number % 5,
                "is_public": number % 10 != 0,
            }
            file.write(("," if number else "") + json.dumps(review))
        file.write("]}")


def call(base, path, token=None):
    headers = {"authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(base + path, headers=headers)
    begun = time.perf_counter()
    with urllib.request.urlopen(request) as response:
        body = response.read()
    return (time.perf_counter() - begun) * 1000, json.loads(body)


def queries(size):
    """By name: the path, and whether somebody is logged in (then no answer is kept)."""
    book = max(50, size // 100) // 2
    return {
        "reviews, anonymous": ("/api/reviews/?page_size=20&x={}", False),
        "reviews, a reader": ("/api/reviews/", True),
        "reviews by rating": ("/api/reviews/?ordering=-rating", True),
        "reviews of a book": (f"/api/reviews/?book={book}", True),
        "reviews of a user": ("/api/reviews/?user=reader_500", True),
        "reviews of a user by rating": ("/api/reviews/?user=reader_500&ordering=rating", True),
        "search in reviews, 200 found": ("/api/reviews/?search=word00007", True),
        "second page": ("NEXT /api/reviews/?ordering=-rating", True),
        "books by title": ("/api/books/?page_size=20&x={}", False),
        "books, a reader": ("/api/books/", True),
        "books by review_count": ("/api/books/?ordering=-review_count", True),
        "books, second page": ("NEXT /api/books/?ordering=-year", True),
        "search in books": ("/api/books/?search=number17%20author", True),
        "a book": (f"/api/books/{book}/", True),
        "a review": (f"/api/reviews/{size // 2}/", False),
    }


def measure(binary, size):
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "all.json")
        write_file(file, size)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        environment = dict(os.environ)
        environment.update(
            PORTCULLIS_STORAGE__DATA_DIR=os.path.join(folder, "data"),
            PORTCULLIS_THROTTLE__ENABLED="false",
            PORTCULLIS_MAIL__URL="memory",
            PORTCULLIS_SERVER__LISTEN=f"127.0.0.1:{port}",
        )
        begun = time.perf_counter()
        said = subprocess.run([binary, "load", file], cwd=folder, env=environment, capture_output=True, text=True)
        print(f"{size:,}: {said.stdout.strip()} {time.perf_counter() - begun:.0f} s", file=sys.stderr)
        if said.returncode:
            sys.exit(said.stderr[-2000:])
        log = open(os.path.join(folder, "log"), "w")
        server = subprocess.Popen([binary, "serve"], cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            return times(f"http://127.0.0.1:{port}", size)
        finally:
            server.terminate()
            server.wait()


def times(base, size):
    for _ in range(200):
        try:
            urllib.request.urlopen(base + "/readyz")
            break
        except OSError:
            time.sleep(0.1)
    body = json.dumps({"username": "reader_3", "password": PASSWORD}).encode()
    login = urllib.request.Request(base + "/api/auth/login/", body, {"content-type": "application/json"})
    token = json.load(urllib.request.urlopen(login))["access"]
    result = {}
    for name, (path, is_logged_in) in queries(size).items():
        who = token if is_logged_in else None
        if path.startswith("NEXT "):
            following = call(base, path[5:], who)[1]["next"]
            path = following[following.index("/api/"):]
        taken = [call(base, path.format(number), who)[0] for number in range(ROUNDS)]
        result[name] = statistics.median(taken)
    return result


def main():
    binary = os.path.abspath(sys.argv[1])
    sizes = [int(size) for size in sys.argv[2:]] or [10_000, 1_000_000]
    results = [measure(binary, size) for size in sizes]
    print(f"Milliseconds, median of {ROUNDS}, whole calls over HTTP; {binary}")
    print("| query | " + " | ".join(f"{size:,} reviews" for size in sizes) + " |")
    print("|---|" + "---:|" * len(sizes))
    is_flat = True
    for name in results[0]:
        row = [result[name] for result in results]
        grown = row[-1] > 3 * row[0] and row[-1] > row[0] + 5
        is_flat = is_flat and not grown
        print(f"| {name} | " + " | ".join(f"{value:.2f}" for value in row) + (" | grows |" if grown else " |"))
    sys.exit(0 if is_flat else 1)


main()
